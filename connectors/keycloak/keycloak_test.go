package keycloak_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/keycloak"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// harness is a real Keycloak behind a proxy.
func harness(t *testing.T) conformance.Harness {
	s := ownSite(t)
	s.Set(map[string]any{"editUsernameAllowed": true})
	healthy := newProxy(t, s.Server)
	through := func(t *testing.T, c *keycloak.Config) connectors.Connector {
		return unclosed(t, c, connectors.Env{System: "corp-login"})
	}
	var next atomic.Int32
	fresh := func(*testing.T) conformance.Person { return s.person(fmt.Sprintf("person%d", next.Add(1)), nil) }
	// behind gives a fault that a proxy makes.
	behind := func(fault func(*proxy)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s.Server)
			fault(p)
			return through(t, s.at(p.URL)), fresh(t)
		}
	}
	as := func(client, secret string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := s.config()
			c.ClientID, c.ClientSecret = client, schemas.NewSecret(secret)
			return through(t, c), fresh(t)
		}
	}
	reader, _ := s.ServiceClient("reader", "view-users")
	s.person("twin1", map[string]any{"email": "twins@example.com"})
	s.person("twin2", map[string]any{"email": "twins@example.com"})
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return through(t, s.at(healthy.URL)) },
		Fresh: fresh,
		Login: func(t *testing.T, p conformance.Person, password string) conformance.Login {
			return s.login(t, p.Account.Value, password)
		},
		Modes:     []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Revokes:   true,
		Secrets:   []string{s.secret, reader},
		Missing:   missing(),
		Hostile:   hostile(),
		Ambiguous: []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "Twins@example.com"}},
		Tricky:    tricky(s),
		Fingerprint: func(*testing.T) string {
			var users, events []json.RawMessage
			s.Call(http.MethodGet, "/users?max=1000", nil, &users)
			s.Call(http.MethodGet, "/admin-events?max=1000", nil, &events)
			return fmt.Sprintf("%s %s", users, events)
		},
		Passwords: func(*testing.T) []string { return healthy.seen() },

		Down: func(t *testing.T) (connectors.Connector, conformance.Person) {
			gone := httptest.NewServer(nil)
			gone.Close()
			return through(t, s.at(gone.URL)), fresh(t)
		},
		Hang: behind(func(p *proxy) {
			p.before = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}),
		Garbage: behind(func(p *proxy) {
			p.before = func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = io.WriteString(w, "<html><body>Welcome to the captive portal</body></html>")
				return true
			}
		}),
		CutOff: func(t *testing.T) (connectors.Connector, conformance.Person) {
			return through(t, s.at(cutting(t))), fresh(t)
		},
		WrongCredential: as(s.client, s.secret+"-wrong"),
		NoRights:        as("reader", reader),
		AnswerLost: behind(func(p *proxy) {
			p.after = func(r *http.Response) error {
				if isChange(r.Request) {
					cut()
				}
				return nil
			}
		}),
		Slow: behind(func(p *proxy) {
			p.before = func(http.ResponseWriter, *http.Request) bool { time.Sleep(300 * time.Millisecond); return false }
		}),
		Expired: behind(expireFirstToken),
		Busy: behind(func(p *proxy) {
			p.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			}
		}),
		Rename: func(_ *testing.T, p conformance.Person) conformance.Person {
			now := p
			now.Account.Value = "now-" + p.Account.Value
			s.Call(http.MethodPut, "/users/"+p.ID, map[string]any{"username": now.Account.Value}, nil)
			return now
		},
	}
}

// expireFirstToken lets the first token do for one call.
func expireFirstToken(p *proxy) {
	var mu sync.Mutex
	first, used := "", 0
	p.before = func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		token := r.Header.Get("Authorization")
		if token == "" {
			return false
		}
		if first == "" {
			first = token
		}
		if token != first {
			return false
		}
		if used++; used > 1 {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"HTTP 401 Unauthorized"}`)
			return true
		}
		return false
	}
}

// cutting closes every connection at once.
func cutting(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// missing are names of every type that nobody has.
func missing() []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountObjectID, Value: "11111111-2222-4333-8444-555555555555"},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: "twin1"}, {Type: schemas.AccountUserName, Value: "twin1@example.com"}, {Type: schemas.AccountObjectID, Value: "twin1"},
		// Not of this system.
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\twin1`},
		{Type: schemas.AccountDN, Value: "uid=twin1,dc=example,dc=com"},
	}
}

// hostile are patterns and addresses that find somebody, or something else, unless they are taken as they are.
func hostile() []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{
		"*", "%", "twin", "win1", "twin_", "tw*", "twin%", `"twin1"`, "twin1&exact=false", "twin1%00", "twi\u006e1\u0301", "count", "profile", "..", ".", "../users",
		"../../master", "%2e%2e", "twin1/credentials", "a;b", "?max=1", "#", " twin1", "twin1 ", "id:1", "TWİN1",
	} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return out
}

// tricky are people whose names hold what means something in an address, and one person named in every way there is.
func tricky(s site) []conformance.Person {
	var out []conformance.Person
	for _, name := range []string{"a+b.c_d-e", "at@example.org", "žluťoučký.kůň", "100"} {
		p := s.person(name, map[string]any{"email": ""})
		out = append(out, p)
	}
	p := s.person("kim", map[string]any{"email": "Kim+Tag@Example.com"})
	for kind, value := range map[schemas.AccountType]string{
		schemas.AccountUserName: "KIM", schemas.AccountLogin: "kim", schemas.AccountEmail: "kim+tag@example.com",
		schemas.AccountAddress: "KIM+TAG@example.com", schemas.AccountObjectID: p.ID,
	} {
		out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: p.ID})
	}
	// Somebody whose user name is his own address is one account, not two.
	same := s.person("own@example.net", map[string]any{"email": "own@example.net"})
	return append(out, conformance.Person{Account: schemas.Account{Type: schemas.AccountAddress, Value: "own@example.net"}, ID: same.ID})
}

func TestTheKelvinSignIsNoK(t *testing.T) {
	s := newSite(t)
	s.person("mark", nil)
	_, err := open(t, s.config()).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "mar\u212A"})
	if detail := wantCode(t, err, schemas.CodeAccountNotFound); !strings.Contains(detail, s.Name) {
		t.Errorf("the detail does not name the realm: %s", detail)
	}
}
