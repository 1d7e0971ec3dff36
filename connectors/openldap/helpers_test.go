package openldap_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/openldap"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// configOf gives the settings that an operator would write for the server, over an unencrypted connection.
func configOf(s *testserver.SlapdServer) *openldap.Config {
	c := openldap.Kind().New().(*openldap.Config)
	c.URL, c.AllowPlaintext = s.URL, true
	c.BindDN, c.Password, c.BaseDN = s.ServiceDN, schemas.NewSecret(s.ServicePassword), s.BaseDN
	c.DefaultPolicy = s.StrictPolicyDN
	return c
}

// openldapConfig gives settings for a server that is none of the testserver's.
func openldapConfig(url, password string) *openldap.Config {
	c := openldap.Kind().New().(*openldap.Config)
	c.URL, c.AllowPlaintext = url, true
	c.BindDN, c.Password, c.BaseDN = "cn=resetd,dc=example,dc=com", schemas.NewSecret(password), "dc=example,dc=com"
	return c
}

// open makes a connector of valid settings. It is closed with the test.
func open(t *testing.T, c *openldap.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func unclosed(t *testing.T, c *openldap.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "corp-ldap"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// identityOf reads an account's entryUUID past the connector.
func identityOf(t *testing.T, s *testserver.SlapdServer, dn string) schemas.Identity {
	t.Helper()
	got, err := s.Values(dn, "entryUUID")
	if err != nil || len(got) != 1 {
		t.Fatalf("entryUUID of %s: %v, %v", dn, got, err)
	}
	return schemas.Identity{ID: got[0], Name: dn}
}

// person is an account of the server as the suite knows it.
func person(t *testing.T, s *testserver.SlapdServer, uid string) conformance.Person {
	t.Helper()
	p := s.Person(uid)
	return conformance.Person{Account: schemas.Account{Type: schemas.AccountUserName, Value: uid}, ID: identityOf(t, s, p.DN).ID, Password: p.Password}
}

// fresh gives accounts that no test has touched, of those that WithUsers made.
func fresh(s *testserver.SlapdServer) func(t *testing.T) conformance.Person {
	var next atomic.Int32
	return func(t *testing.T) conformance.Person {
		t.Helper()
		return person(t, s, testserver.BulkUID(int(next.Add(1))))
	}
}

// login signs in at the server.
func login(t *testing.T, s *testserver.SlapdServer, dn, password string) conformance.Login {
	t.Helper()
	policy, err := s.Bind(dn, password)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials):
		return conformance.LoginRefused
	case err != nil:
		t.Fatalf("signing in as %s: %v", dn, err)
	case policy == 2: // changeAfterReset
		return conformance.LoginMustChange
	case policy != -1:
		return conformance.Login(fmt.Sprintf("accepted with policy error %d", policy))
	}
	return conformance.LoginAccepted
}

// change writes to the server as root.
func change(t *testing.T, s *testserver.SlapdServer, dn, attribute string, values ...string) {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace(attribute, values)
	if err := conn.Modify(r); err != nil {
		t.Fatalf("setting %s of %s: %v", attribute, dn, err)
	}
}

// add puts an entry into the server as root.
func add(t *testing.T, s *testserver.SlapdServer, dn string, attributes map[string][]string) {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		r.Attribute(name, values)
	}
	if err := conn.Add(r); err != nil {
		t.Fatalf("adding %s: %v", dn, err)
	}
}

// rename gives a person another uid as root.
func rename(t *testing.T, s *testserver.SlapdServer, p conformance.Person) conformance.Person {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	now := p
	now.Account.Value = "now-" + p.Account.Value
	if err := conn.ModifyDN(ldap.NewModifyDNRequest("uid="+p.Account.Value+","+s.PeopleDN, "uid="+now.Account.Value, true, "")); err != nil {
		t.Fatalf("renaming %s: %v", p.Account.Value, err)
	}
	return now
}

// wantCode fails the test unless the error is a Failure with one of the codes, and gives the failure's detail.
func wantCode(t *testing.T, err error, codes ...schemas.Code) string {
	t.Helper()
	if !slices.Contains(codes, schemas.CodeOf(err)) {
		t.Errorf("code %s (%v), want one of %v", schemas.CodeOf(err), err, codes)
	}
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		return f.Detail
	}
	return ""
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

// warns tells whether a probe warns in these words.
func warns(c schemas.Capabilities, words string) bool {
	return slices.ContainsFunc(c.Warn, func(w string) bool { return strings.Contains(w, words) })
}
