package activedirectory_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// The walk of an enforcement as the rest of resetd makes it.
func TestWholeWalkThroughTheSet(t *testing.T) {
	s := domain(t)
	person := fresh(s)(t)
	set, err := connectors.NewSet([]connectors.System{{Name: "corp-ad", Kind: "activedirectory", Permitted: func() bool { return true },
		Secrets: configOf(s).Secrets(), Connector: unclosed(t, configOf(s))}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = set.Close() }()
	ctx := t.Context()
	id, err := set.Resolve(ctx, "corp-ad", schemas.Account{Type: schemas.AccountDownLevel, Value: `RESETD\` + person.Account.Value})
	if err != nil || id.ID != person.ID {
		t.Fatalf("%+v, %v", id, err)
	}
	class, err := set.Classify(ctx, "corp-ad", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "corp-ad", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Reset(ctx, "corp-ad", id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got, err := set.Revoke(ctx, "corp-ad", id); err != nil || got.Code != schemas.CodeUnsupported {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	proof, err := set.Verify(ctx, "corp-ad", id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// harness is a real Samba domain controller behind a proxy.
func harness(t *testing.T) conformance.Harness {
	s := domain(t)
	healthy := newProxy(t, s)
	next := fresh(s)
	// at leads to an address instead of the server.
	at := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := configOf(s)
			c.URL = secure(url(t))
			return unclosed(t, c), next(t)
		}
	}
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return unclosed(t, through(s, healthy)) },
		Fresh: next,
		Login: func(t *testing.T, p conformance.Person, password string) conformance.Login {
			return login(t, s, p.Account.Value, password)
		},
		Modes:       []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Secrets:     []string{s.ServicePassword},
		Missing:     missing(t, s),
		Hostile:     hostile(s),
		Ambiguous:   ambiguous(t, s),
		Tricky:      tricky(t, s),
		Fingerprint: func(t *testing.T) string { return fingerprint(t, s) },
		Passwords:   func(*testing.T) []string { return healthy.Seen() },

		Down: at(func(t *testing.T) string { return ldaptest.DeadURL(t) }),
		Hang: at(func(t *testing.T) string {
			return ldaptest.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}),
		Garbage: at(func(t *testing.T) string {
			return ldaptest.Listen(t, func(c net.Conn) {
				// What a web server on the wrong port says.
				_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request")
				_, _ = io.Copy(io.Discard, c)
			})
		}),
		CutOff: at(func(t *testing.T) string { return ldaptest.Listen(t, func(c net.Conn) { _ = c.Close() }) }),
		WrongCredential: func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := configOf(s)
			c.Password = schemas.NewSecret(s.ServicePassword + "-wrong")
			return unclosed(t, c), next(t)
		},
		NoRights: func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := configOf(s)
			c.BindUser, c.Password = s.ReaderName, schemas.NewSecret(s.ReaderPassword)
			return unclosed(t, c), next(t)
		},
		AnswerLost: func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s)
			p.OnModify = ldaptest.LoseAnswer
			c := through(s, p)
			c.Timeout = 3 * time.Second
			return unclosed(t, c), next(t)
		},
		Slow: func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s)
			p.Delay = 300 * time.Millisecond
			return unclosed(t, through(s, p)), next(t)
		},
		Rename: func(t *testing.T, p conformance.Person) conformance.Person { return rename(t, s, p) },
		Lacks: map[string]string{
			"Expired": "LDAP has no tokens; a connection that was dropped is tested by the pool",
			"Busy":    "LDAP's answer busy (51) names no time, and counts as unavailable",
		},
	}
}

// rename gives a person another name in every respect, as a marriage does.
func rename(t *testing.T, s *testserver.SambaServer, p conformance.Person) conformance.Person {
	t.Helper()
	now := p
	now.Account.Value = "now-" + p.Account.Value
	dn := s.Person(p.Account.Value).DN
	change(t, s, dn, "userPrincipalName", now.Account.Value+"@resetd.test")
	change(t, s, dn, "sAMAccountName", now.Account.Value)
	if err := s.As(t).ModifyDN(ldap.NewModifyDNRequest(dn, "CN="+now.Account.Value, true, "")); err != nil {
		t.Fatalf("renaming %s: %v", p.Account.Value, err)
	}
	return now
}
