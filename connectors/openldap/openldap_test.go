package openldap_test

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/connectors/openldap"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, harness(t))
}

// The walk of an enforcement as the rest of resetd makes it.
func TestWholeWalkThroughTheSet(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	set, err := connectors.NewSet([]connectors.System{{Name: "corp-ldap", Kind: "openldap", Permitted: func() bool { return true },
		Secrets: configOf(s).Secrets(), Connector: unclosed(t, configOf(s))}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	id, err := set.Resolve(ctx, "corp-ldap", schemas.Account{Type: schemas.AccountAddress, Value: jdoe.Mail})
	if err != nil {
		t.Fatal(err)
	}
	class, err := set.Classify(ctx, "corp-ldap", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "corp-ldap", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Reset(ctx, "corp-ldap", id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got, err := set.Revoke(ctx, "corp-ldap", id); err != nil || got.Code != schemas.CodeUnsupported {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	proof, err := set.Verify(ctx, "corp-ldap", id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

// harness is a real slapd behind a proxy.
func harness(t *testing.T) conformance.Harness {
	s := testserver.Slapd(t, testserver.WithUsers(400))
	healthy := newProxy(t, s.URL)
	next := fresh(s)
	// through gives settings that lead to an address instead of the server.
	through := func(url string) *openldap.Config {
		c := configOf(s)
		c.URL = url
		return c
	}
	at := func(url func(*testing.T) string) conformance.Fault {
		return func(t *testing.T) (connectors.Connector, conformance.Person) {
			return unclosed(t, through(url(t))), next(t)
		}
	}
	return conformance.Harness{
		Open:  func(t *testing.T) connectors.Connector { return unclosed(t, through(healthy.URL)) },
		Fresh: next,
		Login: func(t *testing.T, p conformance.Person, password string) conformance.Login {
			return login(t, s, "uid="+p.Account.Value+","+s.PeopleDN, password)
		},
		Modes:     []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Secrets:   []string{s.ServicePassword},
		Missing:   missing(s),
		Hostile:   hostile(s),
		Ambiguous: []schemas.Account{{Type: schemas.AccountEmail, Value: "twins@example.com"}, {Type: schemas.AccountAddress, Value: "twins@example.com"}},
		Tricky:    tricky(t, s),
		Fingerprint: func(t *testing.T) string {
			log, err := os.ReadFile(s.AuditLog)
			if err != nil {
				t.Fatal(err)
			}
			return string(log)
		},
		Passwords: func(*testing.T) []string { return healthy.Seen() },

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
			c := through(s.URL)
			c.Password = schemas.NewSecret(s.ServicePassword + "-wrong")
			return unclosed(t, c), next(t)
		},
		NoRights: func(t *testing.T) (connectors.Connector, conformance.Person) {
			c := through(s.URL)
			c.BindDN, c.Password = s.ReaderDN, schemas.NewSecret(s.ReaderPassword)
			return unclosed(t, c), next(t)
		},
		AnswerLost: func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s.URL)
			p.OnModify = ldaptest.LoseAnswer
			c := through(p.URL)
			c.Timeout = time.Second
			return unclosed(t, c), next(t)
		},
		Slow: func(t *testing.T) (connectors.Connector, conformance.Person) {
			p := newProxy(t, s.URL)
			p.Delay = 300 * time.Millisecond
			return unclosed(t, through(p.URL)), next(t)
		},
		Rename: func(t *testing.T, p conformance.Person) conformance.Person { return rename(t, s, p) },
		Lacks: map[string]string{
			"Expired": "LDAP has no tokens; a connection that was dropped is tested by the pool",
			"Busy":    "LDAP's answer busy (51) names no time, and counts as unavailable",
		},
	}
}

// missing are names of every type that nobody has.
func missing(s *testserver.SlapdServer) []schemas.Account {
	return []schemas.Account{
		{Type: schemas.AccountUserName, Value: "nobody"}, {Type: schemas.AccountLogin, Value: "nobody"},
		{Type: schemas.AccountEmail, Value: "nobody@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"},
		{Type: schemas.AccountObjectID, Value: "11111111-2222-4333-8444-555555555555"}, {Type: schemas.AccountObjectID, Value: "no-uuid"},
		{Type: schemas.AccountDN, Value: "uid=nobody," + s.PeopleDN},
		// There, but no person, or outside of the base.
		{Type: schemas.AccountDN, Value: s.PeopleDN}, {Type: schemas.AccountDN, Value: s.ServiceDN},
		{Type: schemas.AccountDN, Value: "cn=config"}, {Type: schemas.AccountDN, Value: "no dn"}, {Type: schemas.AccountDN, Value: ""},
		// Types are not guessed across.
		{Type: schemas.AccountEmail, Value: testserver.JDoe}, {Type: schemas.AccountUserName, Value: "jdoe@example.com"},
		{Type: schemas.AccountLogin, Value: "jdoe@example.com"},
		// Not of this system.
		{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, {Type: schemas.AccountDownLevel, Value: `EXAMPLE\jdoe`},
	}
}

// hostile are filters and patterns that find somebody unless they are escaped.
func hostile(s *testserver.SlapdServer) []schemas.Account {
	var out []schemas.Account
	for _, value := range []string{"*", "jd*", "j*e", "jdoe)(uid=*", "*)(objectClass=*", `jdoe\`, "jdoe\x00", "nobody)(|(uid=jdoe)", `\6adoe`, "*)(uid=*))(|(uid=*"} {
		for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin, schemas.AccountEmail, schemas.AccountAddress, schemas.AccountObjectID} {
			out = append(out, schemas.Account{Type: kind, Value: value})
		}
	}
	return append(out, schemas.Account{Type: schemas.AccountDN, Value: "uid=*," + s.PeopleDN},
		schemas.Account{Type: schemas.AccountDN, Value: `uid=jdoe,ou=people\2cdc=example,dc=com`})
}

// tricky adds people whose names are full of what LDAP gives a meaning to, and names jdoe in every way there is.
func tricky(t *testing.T, s *testserver.SlapdServer) []conformance.Person {
	names := map[string]string{
		`star*(paren)\back`: `uid=star*(paren)\5cback`, `O'Neill, "Tip" <#+;=>`: `uid=O'Neill\2c \22Tip\22 \3c#\2b\3b\3d\3e`, "žluťoučký.kůň": "uid=žluťoučký.kůň",
		"#lead": `uid=\23lead`,
	}
	var out []conformance.Person
	for uid, rdn := range names {
		dn := rdn + "," + s.PeopleDN
		add(t, s, dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {uid}, "cn": {uid}, "sn": {uid}, "mail": {"tricky*()@example.com"}})
		id := identityOf(t, s, dn).ID
		for kind, value := range map[schemas.AccountType]string{schemas.AccountUserName: uid, schemas.AccountDN: dn} {
			out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: id})
		}
	}
	id := identityOf(t, s, s.Person(testserver.JDoe).DN).ID
	for kind, value := range map[schemas.AccountType]string{
		schemas.AccountUserName: "JDoe", schemas.AccountLogin: "jdoe", schemas.AccountEmail: "JDOE@example.com", schemas.AccountAddress: "jdoe@example.com",
		schemas.AccountObjectID: id, schemas.AccountDN: "UID=jdoe, OU=People,DC=example,dc=com",
	} {
		out = append(out, conformance.Person{Account: schemas.Account{Type: kind, Value: value}, ID: id})
	}
	return out
}
