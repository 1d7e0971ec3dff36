package googleworkspace_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

// door is a way to the imitation: a server whose handler may fail in between.
func (g *google) door(t testing.TB, between func(http.ResponseWriter, *http.Request, http.Handler)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if between == nil {
			g.ServeHTTP(w, r)
			return
		}
		between(w, r, g)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// configOf gives the settings that an operator would write, at an address.
func configOf(url string, changes ...func(*googleworkspace.Config)) *googleworkspace.Config {
	c := googleworkspace.Kind().New().(*googleworkspace.Config)
	c.Credentials = schemas.NewSecret(document(keys().good, url+"/token"))
	c.Subject, c.ThirdPartyIDP = "resetd@example.com", "never"
	c.BaseURL, c.CloudIdentityURL = url, url
	for _, change := range changes {
		change(c)
	}
	return c
}

func marked(c *googleworkspace.Config)    { c.ProofAttribute = "resetd.reset" }
func detecting(c *googleworkspace.Config) { c.ThirdPartyIDP = "detect" }
func as(subject string) func(*googleworkspace.Config) {
	return func(c *googleworkspace.Config) { c.Subject = subject }
}

// unclosed makes a connector of valid settings.
func unclosed(t testing.TB, c *googleworkspace.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "corp-google"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// open makes one that is closed with the test.
func open(t testing.TB, c *googleworkspace.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

// plain makes a customer, and a connector to it.
func plain(t testing.TB, changes ...func(*googleworkspace.Config)) (*google, connectors.Connector) {
	t.Helper()
	g := newGoogle(t)
	return g, open(t, configOf(g.door(t, nil), changes...))
}

func idOf(a *account) schemas.Identity { return schemas.Identity{ID: a.id, Name: a.primary} }

// classOf reads a class and fails the test if that is not possible.
func classOf(t testing.TB, c connectors.Connector, a *account) schemas.Class {
	t.Helper()
	got, err := c.Classify(t.Context(), idOf(a))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantCode fails the test unless an error has the code, and gives its detail.
func wantCode(t testing.TB, err error, code schemas.Code) string {
	t.Helper()
	f, ok := errors.AsType[*schemas.Failure](err)
	if !ok || f.Code != code {
		t.Fatalf("code %s (%v), want %s", schemas.CodeOf(err), err, code)
	}
	return f.Detail
}

func wantWords(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, one := range words {
		if !strings.Contains(text, one) {
			t.Errorf("%q does not say %q", text, one)
		}
	}
}

// login tries to sign in with Google's own sign-in.
func (g *google) login(id, password string) conformance.Login {
	a := g.look(id)
	switch {
	case a.password != password || a.suspended:
		return conformance.LoginRefused
	case a.mustChange:
		return conformance.LoginMustChange
	}
	return conformance.LoginAccepted
}

// harness brings what the suite needs, for settings that are changed in one way.
func harness(t *testing.T, change func(*googleworkspace.Config)) conformance.Harness {
	g := newGoogle(t)
	healthy := g.door(t, nil)
	var count atomic.Int64
	person := func(a *account) conformance.Person {
		return conformance.Person{Account: schemas.Account{Type: schemas.AccountAddress, Value: a.primary}, ID: a.id, Password: a.password}
	}
	fresh := func(*testing.T) conformance.Person {
		return person(g.add(fmt.Sprintf("user%d@example.com", count.Add(1))))
	}
	through := func(between func(http.ResponseWriter, *http.Request, http.Handler)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return unclosed(t, configOf(g.door(t, between), change)), fresh(t)
		}
	}
	at := func(c *googleworkspace.Config) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) { return unclosed(t, c), fresh(t) }
	}
	tricky := g.add("o'neil.x_y-z@example.com")
	tricky.aliases = []string{"ONeil@example.com"}
	byAlias := person(tricky)
	byAlias.Account = schemas.Account{Type: schemas.AccountEmail, Value: "oneil@EXAMPLE.com"}
	byID := person(tricky)
	byID.Account = schemas.Account{Type: schemas.AccountObjectID, Value: tricky.id}
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return unclosed(t, configOf(healthy, change)) },
		Fresh: fresh,
		Login: func(_ *testing.T, p conformance.Person, password string) conformance.Login {
			return g.login(p.ID, password)
		},
		Modes:   []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Revokes: true,
		Secrets: []string{pemOf(keys().good), pemOf(keys().deleted), strings.Split(pemOf(keys().good), "\n")[3], "ya29.c."},
		Missing: missing, Hostile: hostile, Tricky: []conformance.Person{person(tricky), byAlias, byID},
		Fingerprint: func(*testing.T) string { return g.fingerprint() },
		Passwords: func(*testing.T) []string {
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.passwords
		},
		Down: at(configOf("http://"+nobody(t), change)),
		Hang: through(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client has gone
			<-r.Context().Done()
		}),
		Garbage: through(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = fmt.Fprint(w, "<html>\x00\x01 no JSON")
		}),
		CutOff: through(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { cut(w) }),
		WrongCredential: at(configOf(healthy, change, func(c *googleworkspace.Config) {
			c.Credentials = schemas.NewSecret(document(keys().deleted, healthy+"/token"))
		})),
		NoRights: at(configOf(healthy, change, as("viewer@example.com"))),
		AnswerLost: through(func(w http.ResponseWriter, r *http.Request, g http.Handler) {
			if r.Method != http.MethodPut {
				g.ServeHTTP(w, r)
				return
			}
			g.ServeHTTP(httptest.NewRecorder(), r)
			cut(w)
		}),
		Slow: through(func(w http.ResponseWriter, r *http.Request, g http.Handler) {
			time.Sleep(300 * time.Millisecond)
			g.ServeHTTP(w, r)
		}),
		Expired: func(t *testing.T) (connectors.Connector, conformance.Person) {
			var calls atomic.Int64
			url := g.door(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Path != "/token" && calls.Add(1) == 2 {
					g.expire(r)
				}
				next.ServeHTTP(w, r)
			})
			return unclosed(t, configOf(url, change)), fresh(t)
		},
		Busy: through(func(w http.ResponseWriter, r *http.Request, g http.Handler) {
			if r.URL.Path == "/token" {
				g.ServeHTTP(w, r)
				return
			}
			(&problem{status: 403, reason: "userRateLimitExceeded", message: "User Rate Limit Exceeded", wait: "7"}).write(w)
		}),
		Rename: func(_ *testing.T, p conformance.Person) conformance.Person {
			name := fmt.Sprintf("renamed%d@example.com", count.Add(1))
			g.change(p.ID, func(a *account) { a.primary = name })
			p.Account.Value = name
			return p
		},
		Lacks: map[string]string{"Ambiguous": "an address belongs to one account at most, and nothing else is looked up by"},
	}
}

// missing are names that nobody has.
var missing = []schemas.Account{
	{Type: schemas.AccountAddress, Value: "nobody@example.com"}, {Type: schemas.AccountEmail, Value: "nobody@example.com"},
	{Type: schemas.AccountLogin, Value: "nobody@example.com"}, {Type: schemas.AccountLogin, Value: "nobody"},
	{Type: schemas.AccountObjectID, Value: "99999999999999999"}, {Type: schemas.AccountObjectID, Value: "0a1b2c3d-0000-4000-8000-000000000000"},
	{Type: schemas.AccountUserName, Value: "resetd"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\resetd`},
	{Type: schemas.AccountSID, Value: "S-1-5-21-1111-2222-3333-1001"}, {Type: schemas.AccountDN, Value: "cn=resetd,dc=example,dc=com"},
}

// hostile are names that would lead to somebody if they were not escaped, or not held against the answer.
var hostile = []schemas.Account{
	{Type: schemas.AccountAddress, Value: "resetd@example.com/../root@example.com"}, {Type: schemas.AccountLogin, Value: "root@example.com?x=@"},
	{Type: schemas.AccountEmail, Value: "x/../root@example.com"}, {Type: schemas.AccountEmail, Value: "root%40example.com@"},
	{Type: schemas.AccountEmail, Value: "re\u017fetd@example.com"}, {Type: schemas.AccountObjectID, Value: "root@example.com"}, {Type: schemas.AccountObjectID, Value: "../users"}, {Type: schemas.AccountAddress, Value: "root@example.com#"},
}

// cut closes the connection without an answer.
func cut(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

// nobody gives an address on which nobody listens.
func nobody(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
