package okta_test

import (
	"crypto/rand"
	"errors"
	"fmt"
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
	"github.com/resetd/resetd/connectors/okta"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	for name, how := range map[string]settings{"api token": byToken, "service app": byApp} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, harness(t, how, false))
		})
	}
	t.Run("service app with proof of possession", func(t *testing.T) {
		t.Parallel()
		conformance.Run(t, harness(t, byApp, true))
	})
}

// byToken and byApp are settings for an imitation, to be reached at an address.
func byToken(_ *imitation, url string) *okta.Config {
	c := okta.Kind().New().(*okta.Config)
	c.OrgURL, c.APIToken = url, schemas.NewSecret(apiToken)
	return c
}

func byApp(o *imitation, url string) *okta.Config {
	c := okta.Kind().New().(*okta.Config)
	c.OrgURL, c.ClientID, c.PrivateKey, c.KeyID = url, clientID, schemas.NewSecret(o.app.pem), keyID
	return c
}

// open makes a connector that the caller closes.
func open(t *testing.T, c *okta.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	made, err := c.Open(connectors.Env{System: "acme-okta"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// connect makes a connector that is closed with the test.
func connect(t *testing.T, c *okta.Config) connectors.Connector {
	t.Helper()
	made := open(t, c)
	t.Cleanup(func() { _ = made.Close() })
	return made
}

type settings func(*imitation, string) *okta.Config

// harness is a healthy imitation, and others with faults.
func harness(t *testing.T, how settings, dpop bool) conformance.Harness {
	healthy := newImitation(t)
	healthy.app.dpop = dpop
	secrets := append([]string{apiToken, resetToken, strings.Split(healthy.app.pem, "\n")[1]}, healthy.temps...)
	fresh := func(o *imitation) conformance.Person {
		return personOf(o.add(person{}))
	}
	// through gives connectors to the same org through something.
	through := func(wrap func(http.Handler) http.Handler) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return open(t, how(healthy, healthy.behind(t, wrap))), fresh(healthy)
		}
	}
	at := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return open(t, how(healthy, url(t))), fresh(healthy)
		}
	}
	h := conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return open(t, how(healthy, healthy.url)) },
		Fresh: func(*testing.T) conformance.Person { return fresh(healthy) },
		Login: func(_ *testing.T, p conformance.Person, password string) conformance.Login {
			return healthy.login(p.ID, password)
		},
		Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire, schemas.ModeRecovery}, Revokes: true,
		Secrets: secrets,
		Missing: []schemas.Account{
			{Type: schemas.AccountLogin, Value: "nobody@example.com"}, {Type: schemas.AccountEmail, Value: "nobody@example.com"},
			{Type: schemas.AccountAddress, Value: "nobody@example.com"}, {Type: schemas.AccountUserName, Value: "nobody"},
			{Type: schemas.AccountObjectID, Value: "00u00000000000nobody"}, {Type: schemas.AccountObjectID, Value: "../users/me"},
			{Type: schemas.AccountObjectID, Value: "me"}, {Type: schemas.AccountUserName, Value: "me"}, {Type: schemas.AccountUserName, Value: ".."},
			{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `CORP\nobody`},
			{Type: schemas.AccountDN, Value: "cn=nobody,dc=example,dc=com"},
		},
		Hostile: []schemas.Account{
			{Type: schemas.AccountEmail, Value: `x" or profile.login sw "person`}, {Type: schemas.AccountEmail, Value: `x\" or profile.login sw \"person`},
			{Type: schemas.AccountUserName, Value: `x/y" or profile.login sw "person`}, {Type: schemas.AccountLogin, Value: ownerID},
			{Type: schemas.AccountUserName, Value: `person0%40example.com`}, {Type: schemas.AccountLogin, Value: "me?x="}, {Type: schemas.AccountLogin, Value: "me#"},
		},
		Fingerprint:     func(*testing.T) string { return healthy.fingerprint() },
		Down:            at(downURL),
		Hang:            at(hangURL),
		Garbage:         at(garbageURL),
		CutOff:          at(cutURL),
		NoRights:        noRights(healthy, how, dpop),
		AnswerLost:      through(loseAnswers),
		Slow:            through(slow),
		Busy:            through(busy),
		WrongCredential: wrongCredential(healthy, how, fresh),
		Rename: func(_ *testing.T, p conformance.Person) conformance.Person {
			healthy.change(p.ID, func(u *person) { u.Login, u.Email = "new."+u.Login, "new."+u.Email })
			p.Account.Value = "new." + p.Account.Value
			return p
		},
		Lacks: map[string]string{"Passwords": "Okta makes the temporary passwords itself; the suite looks for them among the secrets"},
	}
	shared := []person{healthy.add(person{Email: "shared@example.com"}), healthy.add(person{Email: "Shared@example.com"})}
	login := healthy.add(person{Login: "both@example.com"})
	healthy.add(person{Email: login.Login})
	healthy.add(person{Login: "twin@a.example.com"})
	healthy.add(person{Login: "twin@b.example.com"})
	h.Ambiguous = []schemas.Account{{Type: schemas.AccountEmail, Value: shared[0].Email}, {Type: schemas.AccountAddress, Value: login.Login}, {Type: schemas.AccountUserName, Value: "twin"}}
	h.Tricky = tricky(healthy)
	if how(healthy, healthy.url).ClientID == "" {
		h.Lacks["Expired"] = "an API token cannot be renewed by whoever holds it"
	} else {
		h.Expired = through(expireFirst)
	}
	return h
}

// tricky are accounts whose names mean something in a path, a query or a filter.
func tricky(o *imitation) (out []conformance.Person) {
	for _, login := range []string{"with/slash@example.com", "100%40x@example.com", "a?b#c@example.com", `quo"te@example.com`, "plus+plus@example.com", "séb astien@example.com", "filter or true"} {
		out = append(out, personOf(o.add(person{Login: login})))
	}
	mail := o.add(person{Email: `"a\\b"@example.com`})
	named := personOf(mail)
	named.Account = schemas.Account{Type: schemas.AccountEmail, Value: mail.Email}
	byID := personOf(o.add(person{}))
	byID.Account = schemas.Account{Type: schemas.AccountObjectID, Value: byID.ID}
	short := personOf(o.add(person{Login: "short.name@example.com"}))
	short.Account = schemas.Account{Type: schemas.AccountUserName, Value: "Short.Name"}
	address := o.add(person{})
	addressed := personOf(address)
	addressed.Account = schemas.Account{Type: schemas.AccountAddress, Value: address.Email}
	return append(out, named, byID, short, addressed)
}

func personOf(p person) conformance.Person {
	return conformance.Person{Account: schemas.Account{Type: schemas.AccountLogin, Value: p.Login}, ID: p.ID, Password: p.Password}
}

// login tries to sign in, at the imitation that holds the account.
func (o *imitation) login(id, password string) conformance.Login {
	o.mu.Lock()
	p, elsewhere := o.users[id], o.elsewhere[id]
	o.mu.Unlock()
	if elsewhere != nil {
		return elsewhere.login(id, password)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case p.Password != password:
	case p.Status == "ACTIVE":
		return conformance.LoginAccepted
	case p.Status == "PASSWORD_EXPIRED":
		return conformance.LoginMustChange
	}
	return conformance.LoginRefused
}

// mirror makes an account of another imitation look as if it were here: the suite asks here about it.
func (o *imitation) mirror(other *imitation, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.elsewhere[id] = other
}

// noRights is another org, where resetd may read and nothing else.
func noRights(healthy *imitation, how settings, dpop bool) conformance.Fault {
	return func(t *testing.T) (connectors.Connector, conformance.Person) {
		o := newImitation(t)
		o.app.dpop, o.roles = dpop, []string{"READ_ONLY_ADMIN"}
		p := o.add(person{ID: "00uelsewhere" + rand.Text()[:8]})
		healthy.mirror(o, p.ID)
		return open(t, how(o, o.url)), personOf(p)
	}
}

func wrongCredential(o *imitation, how settings, fresh func(*imitation) conformance.Person) conformance.Fault {
	return func(t *testing.T) (connectors.Connector, conformance.Person) {
		c := how(o, o.url)
		if c.ClientID == "" {
			c.APIToken = schemas.NewSecret("00WrongTokenWrongTokenWrong")
		} else {
			c.ClientID = "0oaanother0app000000h7"
		}
		return open(t, c), fresh(o)
	}
}

// loseAnswers carries out changes and closes the connection in place of the answer.
func loseAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.URL.Path == "/oauth2/v1/token" {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

func slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		next.ServeHTTP(w, r)
	})
}

// busy answers as Okta does when the limit of a minute is used up.
func busy(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Rate-Limit-Limit", "600")
		w.Header().Set("X-Rate-Limit-Remaining", "0")
		w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(time.Now().Add(7*time.Second).Unix()))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.","errorLink":"E0000047","errorId":"oae1","errorCauses":[]}`))
	})
}

// expireFirst takes the first token for one call and then no more.
func expireFirst(next http.Handler) http.Handler {
	var first sync.Map
	var calls atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/v1/token" {
			next.ServeHTTP(w, r)
			return
		}
		token := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "DPoP ")
		if calls.Add(1) == 1 {
			first.Store(token, true)
		} else if _, old := first.Load(token); old {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"errorCode":"E0000011","errorSummary":"Invalid token provided","errorLink":"E0000011","errorId":"oae2","errorCauses":[]}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func downURL(t *testing.T) string {
	l := listen(t)
	_ = l.Close()
	return "http://" + l.Addr().String()
}

func hangURL(t *testing.T) string { return talks(t, func(net.Conn) {}) }

func cutURL(t *testing.T) string { return talks(t, func(c net.Conn) { _ = c.Close() }) }

func garbageURL(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>captive portal")) }))
	t.Cleanup(s.Close)
	return s.URL
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// talks does something with every connection.
func talks(t *testing.T, do func(net.Conn)) string {
	l := listen(t)
	var open sync.Map
	t.Cleanup(func() {
		_ = l.Close()
		open.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil || true })
	})
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				open.Store(c, true)
				do(c)
			}
		}
	}()
	return "http://" + l.Addr().String()
}
