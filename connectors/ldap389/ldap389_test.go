package ldap389_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/connectors/ldap389"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// The walk of an enforcement as the rest of resetd makes it.
func TestWholeWalkThroughTheSet(t *testing.T) {
	s := testserver.DS389(t)
	jdoe := s.Person(testserver.JDoe)
	set, err := connectors.NewSet([]connectors.System{{Name: "corp-ds", Kind: "ldap389", Permitted: func() bool { return true },
		Secrets: configOf(s).Secrets(), Connector: unclosed(t, configOf(s))}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = set.Close() }()
	ctx := t.Context()
	id, err := set.Resolve(ctx, "corp-ds", schemas.Account{Type: schemas.AccountAddress, Value: jdoe.Mail})
	if err != nil {
		t.Fatal(err)
	}
	class, err := set.Classify(ctx, "corp-ds", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "corp-ds", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Reset(ctx, "corp-ds", id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got, err := set.Revoke(ctx, "corp-ds", id); err != nil || got.Code != schemas.CodeUnsupported {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	proof, err := set.Verify(ctx, "corp-ds", id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// harness is a real server behind a proxy.
func harness(t *testing.T) conformance.Harness {
	s := testserver.DS389(t, testserver.WithPeople(400))
	healthy := newProxy(t, s)
	next := fresh(s)
	// through leads to an address in place of the server.
	through := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := configOf(s)
			c.URL = strings.Replace(url(t), "ldap://", "ldaps://", 1)
			return unclosed(t, c), next(t)
		}
	}
	// with changes the settings or the proxy.
	with := func(adapt func(*ldap389.Config, *proxy)) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s)
			c := p.config()
			adapt(c, p)
			return unclosed(t, c), next(t)
		}
	}
	file, certificate := ldaptest.Authority(t, "127.0.0.1")
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return unclosed(t, healthy.config()) },
		Fresh: next,
		Login: func(t *testing.T, p conformance.Person, password string) conformance.Login {
			return login(t, s, "uid="+p.Account.Value+","+s.PeopleDN, password)
		},
		Modes:       []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Secrets:     []string{s.ServicePassword},
		Missing:     missing(s),
		Hostile:     hostile(s),
		Ambiguous:   []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "twins@example.com"}},
		Tricky:      tricky(t, s),
		Fingerprint: func(t *testing.T) string { return fingerprint(t, s) },
		Passwords:   func(*testing.T) []string { return healthy.Seen() },

		Down: through(func(t *testing.T) string { return ldaptest.DeadURL(t) }),
		Hang: through(func(t *testing.T) string {
			return ldaptest.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}),
		Garbage: func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := configOf(s)
			c.TLSCA = file
			c.URL = strings.Replace(ldaptest.Listen(t, func(plain net.Conn) {
				secure := tls.Server(plain, &tls.Config{Certificates: []tls.Certificate{certificate}})
				// What a web server on the wrong port says.
				_, _ = io.WriteString(secure, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request")
				_, _ = io.Copy(io.Discard, secure)
			}), "ldap://", "ldaps://", 1)
			return unclosed(t, c), next(t)
		},
		CutOff: through(func(t *testing.T) string { return ldaptest.Listen(t, func(c net.Conn) { _ = c.Close() }) }),
		WrongCredential: with(func(c *ldap389.Config, _ *proxy) {
			c.Password = schemas.NewSecret(s.ServicePassword + "-wrong")
		}),
		NoRights: with(func(c *ldap389.Config, _ *proxy) {
			c.BindDN, c.Password = s.ReaderDN, schemas.NewSecret(s.ReaderPassword)
		}),
		AnswerLost: with(func(c *ldap389.Config, p *proxy) { p.OnModify, c.Timeout = ldaptest.LoseAnswer, time.Second }),
		Slow:       with(func(_ *ldap389.Config, p *proxy) { p.Delay = 300 * time.Millisecond }),
		Rename:     func(t *testing.T, p conformance.Person) conformance.Person { return rename(t, s, p) },
		Lacks: map[string]string{
			"Expired": "LDAP has no tokens; a connection that was dropped is tested by the pool",
			"Busy":    "LDAP's answer busy (51) names no time, and counts as unavailable",
		},
	}
}

// rename gives a person another uid as the Directory Manager.
func rename(t *testing.T, s *testserver.DS389Server, p conformance.Person) conformance.Person {
	t.Helper()
	now := p
	now.Account.Value = "now-" + p.Account.Value
	if err := asRoot(t, s).ModifyDN(ldap.NewModifyDNRequest("uid="+p.Account.Value+","+s.PeopleDN, "uid="+now.Account.Value, true, "")); err != nil {
		t.Fatalf("renaming %s: %v", p.Account.Value, err)
	}
	return now
}
