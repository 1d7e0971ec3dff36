package entra_test

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/entra"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// harness is one tenant behind many servers: a healthy one, and one for each fault.
func harness(t *testing.T) conformance.Harness {
	w := newWorld()
	w.listLag = 30 // lists hear of a change late
	healthy := newFront(t, w, nil)
	var count atomic.Int64
	fresh := func(*testing.T) conformance.Person {
		p := w.add(fmt.Sprintf("user%d@example.com", count.Add(1)), nil)
		return conformance.Person{Account: schemas.Account{Type: schemas.AccountLogin, Value: p.upn}, ID: p.id, Password: p.password}
	}
	// behind gives a fault that a server of its own has.
	behind := func(change func(*front), settings func(*entra.Config)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := newFront(t, w, change).config()
			if settings != nil {
				settings(c)
			}
			return open(t, c), fresh(t)
		}
	}
	wire := func(do func(*front, http.ResponseWriter, *http.Request) bool) func(*front) {
		return func(f *front) { f.wire = do }
	}
	onGraph := func(do func(http.ResponseWriter, *http.Request)) func(*front) {
		return wire(func(_ *front, w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/v1.0/") {
				return false
			}
			do(w, r)
			return true
		})
	}
	ambiguous(w)
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return open(t, healthy.config()) },
		Fresh: fresh,
		Login: func(_ *testing.T, p conformance.Person, password string) conformance.Login {
			return w.login(p.ID, password)
		},
		Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Revokes: true,
		Secrets:   []string{secretText},
		Missing:   missing(),
		Hostile:   hostile(),
		Ambiguous: []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "crossed@example.com"}, {Type: schemas.AccountUserName, Value: "twin"}},
		Tricky:    tricky(w),

		Fingerprint: func(*testing.T) string { return w.fingerprint() },
		Passwords:   func(*testing.T) []string { return w.sent() },

		Down: func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := healthy.config()
			c.BaseURL, c.AuthorityURL = deadURL(t)+"/v1.0", deadURL(t)
			return open(t, c), fresh(t)
		},
		Hang: behind(onGraph(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), nil),
		Garbage: behind(onGraph(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html><body>Welcome to nginx!</body></html>"))
		}), nil),
		CutOff:          behind(onGraph(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil),
		WrongCredential: behind(nil, func(c *entra.Config) { c.ClientSecret = schemas.NewSecret(secretText + "-wrong") }),
		NoRights:        behind(nil, func(c *entra.Config) { c.ClientID = appReader }),
		AnswerLost:      behind(func(f *front) { f.after = func(r *http.Request) bool { return r.Method == http.MethodPatch } }, nil),
		Slow: behind(wire(func(*front, http.ResponseWriter, *http.Request) bool {
			time.Sleep(300 * time.Millisecond)
			return false
		}), nil),
		Expired: behind(func(f *front) { f.wire = expiring }, nil),
		Busy: behind(func(f *front) {
			f.inside = func(_ *front, w http.ResponseWriter, _ *http.Request) bool { throttled(w, "7"); return true }
		}, nil),
		Rename: func(t *testing.T, p conformance.Person) conformance.Person {
			w.in(t, func() {
				one := w.people[p.ID]
				w.change(one, func() { one.upn = "renamed." + one.upn })
				p.Account.Value = one.upn
			})
			return p
		},
	}
}

// expiring takes the first token once, and no more.
func expiring(f *front, w http.ResponseWriter, r *http.Request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" || len(f.issued) == 0 || token != f.issued[0] || len(f.log) < 2 {
		return false
	}
	refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	return true
}

func throttled(w http.ResponseWriter, wait string) {
	w.Header().Set("Retry-After", wait)
	w.Header().Set("x-ms-throttle-scope", "Tenant_Application/ReadWrite/10000000-0000-4000-8000-000000000001")
	w.Header().Set("x-ms-throttle-information", "WriteLimitExceeded")
	refuse(w, http.StatusTooManyRequests, "TooManyRequests", "Too many requests.")
}

// deadURL is an address at which nobody listens.
func deadURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "https://127.0.0.1:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
