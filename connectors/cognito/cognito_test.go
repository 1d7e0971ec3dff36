package cognito_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/cognito"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// harness is a moto that checks signatures and rights, behind a front with AWS's manners.
func harness(t *testing.T) conformance.Harness {
	w := newWorld(t)
	healthy := w.Front(t)
	// through makes a fault of a front of its own.
	through := func(set func(*testserver.MotoFront), change func(*cognito.Config)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			front := w.Front(t)
			set(front)
			c := w.settings(front.URL)
			change(c)
			return unclosed(t, c), w.fresh(t)
		}
	}
	as := func(*cognito.Config) {}
	at := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return unclosed(t, w.settings(url(t))), w.fresh(t)
		}
	}
	w.add(t, "twin-1", "email", "twins@example.com")
	w.add(t, "twin-2", "email", "twins@example.com")
	w.add(t, "clash@example.com", "email", "other@example.com")
	w.add(t, "clash", "email", "clash@example.com")
	odd := w.add(t, `o*d"d\n(a)m=e`, "email", "odd'*+()@example.com")
	both := w.add(t, "both@example.com", "email", "both@example.com")
	return conformance.Harness{
		Open:      func(t *testing.T) connectors.Connector { return unclosed(t, w.settings(healthy.URL)) },
		Fresh:     w.fresh,
		Login:     w.login,
		Modes:     []schemas.Mode{schemas.ModeRandomize, schemas.ModeRecovery},
		Revokes:   true,
		Secrets:   []string{w.keys.Secret},
		Missing:   missing(),
		Hostile:   hostile(),
		Ambiguous: []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "clash@example.com"}},
		Tricky: []conformance.Person{odd, alias(odd, schemas.AccountLogin, odd.Account.Value), alias(odd, schemas.AccountObjectID, odd.ID),
			alias(odd, schemas.AccountEmail, "odd'*+()@example.com"), alias(both, schemas.AccountAddress, "both@example.com")},
		Fingerprint: func(t *testing.T) string {
			var model struct {
				Cognito struct{ CognitoIdpUser json.RawMessage } `json:"cognitoidp"`
			}
			if err := w.Model(t.Context(), &model); err != nil {
				t.Fatal(err)
			}
			return string(model.Cognito.CognitoIdpUser)
		},
		Passwords: func(*testing.T) []string { return healthy.Passwords() },

		Down:    at(deadURL),
		Hang:    at(func(t *testing.T) string { return listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) }),
		Garbage: at(func(t *testing.T) string { return serve(t, "<html>It works!</html>") }),
		CutOff:  at(func(t *testing.T) string { return listen(t, func(c net.Conn) { _ = c.Close() }) }),
		WrongCredential: through(func(*testserver.MotoFront) {}, func(c *cognito.Config) {
			c.SecretAccessKey = schemas.NewSecret(w.keys.Secret + "-wrong")
		}),
		NoRights: func(t *testing.T) (connectors.Connector, conformance.Person) {
			policy := strings.NewReplacer("cognito-idp:AdminSetUserPassword", "cognito-idp:None", "cognito-idp:AdminResetUserPassword", "cognito-idp:None").Replace(readmePolicy(t))
			keys, err := w.User(t.Context(), "reader", policy)
			if err != nil {
				t.Fatal(err)
			}
			c := w.settings(healthy.URL)
			c.AccessKeyID, c.SecretAccessKey = keys.ID, schemas.NewSecret(keys.Secret)
			return unclosed(t, c), w.fresh(t)
		},
		AnswerLost: through(func(f *testserver.MotoFront) {
			f.After = func(call testserver.MotoCall, a *testserver.MotoAnswer) {
				a.Lost = slices.Contains([]string{"AdminSetUserPassword", "AdminResetUserPassword"}, call.Action)
			}
		}, as),
		Slow:    through(func(f *testserver.MotoFront) { f.Delay = 300 * time.Millisecond }, as),
		Expired: expired(t, w),
		Busy: through(func(f *testserver.MotoFront) {
			f.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
				a := testserver.Refuse(call, http.StatusBadRequest, "TooManyRequestsException", "Too many requests")
				a.Header.Set("Retry-After", "7") // AWS gives none; what stands before it may
				return a
			}
		}, as),
		Lacks: map[string]string{
			"Rename": "a Cognito user name never changes; TestNameThatPassedToSomebodyElse covers a user who was deleted and whose name was given anew",
		},
	}
}

// expired gives credentials of an assumed role that end with the second call, and others when they are asked for.
func expired(t *testing.T, w *world) conformance.Fault {
	role := w.role(t, "resetd-role")
	return func(t *testing.T) (connectors.Connector, conformance.Person) {
		front := w.Front(t)
		var mu sync.Mutex
		calls, first := 0, ""
		front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
			mu.Lock()
			defer mu.Unlock()
			if call.Token == "" {
				return nil
			}
			if calls++; first == "" {
				first = call.Token
			}
			if calls > 1 && call.Token == first {
				return testserver.Refuse(call, http.StatusBadRequest, "ExpiredToken", "The security token included in the request is expired")
			}
			return nil
		}
		c := w.settings(front.URL)
		c.RoleARN = role
		return unclosed(t, c), w.fresh(t)
	}
}

func alias(p conformance.Person, kind schemas.AccountType, value string) conformance.Person {
	p.Account = schemas.Account{Type: kind, Value: value}
	return p
}

// missing are names of every type that nobody has.
func missing() []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "no body"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountObjectID, Value: "11111111-2222-4333-8444-555555555555"}, {Type: schemas.AccountObjectID, Value: "no-id"},
		{Type: schemas.AccountUserName, Value: "Twin-1"},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: "twin-1"}, {Type: schemas.AccountUserName, Value: "twins@example.com"}, {Type: schemas.AccountLogin, Value: "twins@example.com"},
		{Type: schemas.AccountObjectID, Value: "twin-1"},
		// Not of this system.
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\twin-1`}, {Type: schemas.AccountDN, Value: "cn=twin-1"},
	}
}

// hostile are patterns and expressions that must be taken as they are.
func hostile() []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"*", "twin*", `twins@example.com" or email ^= "t`, `x" or username = "twin-1`, `twin-1"`, `"twin-1"`, `twin-1\`, "twin-1\x00", " twin-1", `^`} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return out
}
