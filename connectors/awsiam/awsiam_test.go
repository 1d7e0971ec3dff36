package awsiam_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/awsiam"
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
	through := func(set func(*testserver.MotoFront), change func(*awsiam.Config)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			front := w.Front(t)
			set(front)
			c := w.settings(front.URL)
			change(c)
			return unclosed(t, c), w.fresh(t)
		}
	}
	as := func(*awsiam.Config) {}
	at := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return unclosed(t, w.settings(url(t))), w.fresh(t)
		}
	}
	tagged := w.add(t, "tagged@example.com", firstPassword, "email", "tagged@example.com")
	w.add(t, "twin-1", firstPassword, "email", "twins@example.com")
	w.add(t, "twin-2", firstPassword, "email", "Twins@example.com")
	w.add(t, "clash@example.com", firstPassword)
	w.add(t, "clash", firstPassword, "email", "clash@example.com")
	odd := w.add(t, "O_dd+=,.@-Name", firstPassword, "email", "odd'\"*@example.com")
	return conformance.Harness{
		Open:      func(t *testing.T) connectors.Connector { return unclosed(t, w.settings(healthy.URL)) },
		Fresh:     w.fresh,
		Login:     w.login,
		Modes:     []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Revokes:   true,
		Secrets:   []string{w.keys.Secret},
		Missing:   missing(w),
		Hostile:   hostile(),
		Ambiguous: []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "clash@example.com"}},
		Tricky: []conformance.Person{odd, alias(odd, schemas.AccountLogin, odd.Account.Value), alias(odd, schemas.AccountObjectID, odd.ID),
			alias(odd, schemas.AccountObjectID, "arn:aws:iam::"+w.Account+":user/people/O_dd+=,.@-Name"), alias(odd, schemas.AccountEmail, "ODD'\"*@example.com"),
			alias(tagged, schemas.AccountAddress, "tagged@example.com"), alias(tagged, schemas.AccountEmail, "tagged@example.com")},
		Fingerprint: func(t *testing.T) string {
			var model struct {
				IAM struct{ User json.RawMessage } `json:"iam"`
			}
			if err := w.Model(t.Context(), &model); err != nil {
				t.Fatal(err)
			}
			return string(model.IAM.User)
		},
		Passwords: func(*testing.T) []string { return healthy.Passwords() },

		Down:    at(deadURL),
		Hang:    at(func(t *testing.T) string { return listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) }),
		Garbage: at(func(t *testing.T) string { return serve(t, "<html>It works!</html>") }),
		CutOff:  at(func(t *testing.T) string { return listen(t, func(c net.Conn) { _ = c.Close() }) }),
		WrongCredential: through(func(*testserver.MotoFront) {}, func(c *awsiam.Config) {
			c.SecretAccessKey = schemas.NewSecret(w.keys.Secret + "-wrong")
		}),
		NoRights: func(t *testing.T) (connectors.Connector, conformance.Person) {
			keys, err := w.User(t.Context(), "reader-"+t.Name()[strings.LastIndexByte(t.Name(), '/')+1:], strings.NewReplacer(`"iam:UpdateLoginProfile"`, `"iam:None"`).Replace(readmePolicy(t)))
			if err != nil {
				t.Fatal(err)
			}
			c := w.settings(healthy.URL)
			c.AccessKeyID, c.SecretAccessKey, c.PathPrefixes = keys.ID, schemas.NewSecret(keys.Secret), nil
			return unclosed(t, c), w.fresh(t)
		},
		AnswerLost: through(func(f *testserver.MotoFront) {
			f.After = func(call testserver.MotoCall, a *testserver.MotoAnswer) { a.Lost = call.Action == "UpdateLoginProfile" }
		}, as),
		Slow:    through(func(f *testserver.MotoFront) { f.Delay = 300 * time.Millisecond }, as),
		Expired: expired(t, w),
		Busy: through(func(f *testserver.MotoFront) {
			f.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
				a := testserver.Refuse(call, http.StatusBadRequest, "Throttling", "Rate exceeded")
				a.Header.Set("Retry-After", "7") // AWS gives none; what stands before it may
				return a
			}
		}, as),
		Rename: w.rename,
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
				return testserver.Refuse(call, http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
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

// missing are names of every type that nobody has, or nobody within the bounds.
func missing(w *world) []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "no body"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountObjectID, Value: "AIDAAAAAAAAAAAAAAAAAA"}, {Type: schemas.AccountObjectID, Value: "no-id"},
		{Type: schemas.AccountObjectID, Value: "arn:aws:iam::" + w.Account + ":user/people/nobody"},
		{Type: schemas.AccountObjectID, Value: "arn:aws:iam::" + w.Account + ":root"},
		// There, but on another path, of another account, or with another case.
		{Type: schemas.AccountUserName, Value: "moto-admin"}, {Type: schemas.AccountObjectID, Value: "arn:aws:iam::" + w.Account + ":user/twin-1"},
		{Type: schemas.AccountObjectID, Value: "arn:aws:iam::999999999999:user/people/twin-1"}, {Type: schemas.AccountUserName, Value: "Twin-1"},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: "twin-1"}, {Type: schemas.AccountUserName, Value: "twins@example.com"},
		// Not of this system.
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\twin-1`}, {Type: schemas.AccountDN, Value: "cn=twin-1"},
	}
}

// hostile are patterns and expressions that must be taken as they are.
func hostile() []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"*", "twin*", "twin-?", "twin-1&UserName=twin-2", "twin-1\x00", "../twin-1", "people/twin-1", "%74win-1", "twin-1 "} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return out
}
