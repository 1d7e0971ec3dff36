package ldap389_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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

// configOf gives the settings that an operator would write for the server.
func configOf(s *testserver.DS389Server) *ldap389.Config {
	c := ldap389.Kind().New().(*ldap389.Config)
	c.URL, c.TLSCA = s.URL, s.CAFile
	c.BindDN, c.Password, c.BaseDN = s.ServiceDN, schemas.NewSecret(s.ServicePassword), s.BaseDN
	return c
}

// open makes a connector of valid settings. It is closed with the test.
func open(t *testing.T, c *ldap389.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func unclosed(t *testing.T, c *ldap389.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "corp-ds"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// proxy stands between a connector and the server, on encrypted connections on both sides.
type proxy struct {
	*ldaptest.Proxy
	server    *testserver.DS389Server
	authority string
}

func newProxy(t *testing.T, s *testserver.DS389Server) *proxy {
	t.Helper()
	trust, err := s.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	file, certificate := ldaptest.Authority(t, "127.0.0.1")
	return &proxy{server: s, authority: file, Proxy: ldaptest.NewProxy(t, ldaptest.Target{Secret: "userPassword",
		Dial: func() (net.Conn, error) { return tls.Dial("tcp", strings.TrimPrefix(s.URL, "ldaps://"), trust) },
		TLS:  &tls.Config{Certificates: []tls.Certificate{certificate}}})}
}

// config leads through the proxy.
func (p *proxy) config() *ldap389.Config {
	c := configOf(p.server)
	c.URL, c.TLSCA = p.URL, p.authority
	return c
}

// identityOf reads an account's nsUniqueId past the connector.
func identityOf(t *testing.T, s *testserver.DS389Server, dn string) schemas.Identity {
	t.Helper()
	return schemas.Identity{ID: value(t, s, dn, "nsUniqueId"), Name: dn}
}

// value reads one attribute with one value at most.
func value(t *testing.T, s *testserver.DS389Server, dn, attribute string) string {
	t.Helper()
	got, err := s.Values(dn, attribute)
	if err != nil || len(got) > 1 {
		t.Fatalf("%s of %s: %q, %v", attribute, dn, got, err)
	}
	return strings.Join(got, "")
}

// person is an account of the server as the suite knows it.
func person(t *testing.T, s *testserver.DS389Server, uid string) conformance.Person {
	t.Helper()
	p := s.Person(uid)
	return conformance.Person{Account: schemas.Account{Type: schemas.AccountUserName, Value: uid}, ID: identityOf(t, s, p.DN).ID, Password: p.Password}
}

// fresh gives accounts that no test has touched, of those that WithPeople made.
func fresh(s *testserver.DS389Server) func(t *testing.T) conformance.Person {
	var next atomic.Int32
	return func(t *testing.T) conformance.Person {
		t.Helper()
		return person(t, s, testserver.BulkUID(int(next.Add(1))))
	}
}

// login signs in at the server.
func login(t *testing.T, s *testserver.DS389Server, dn, password string) conformance.Login {
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

// asRoot gives a connection of the Directory Manager that ends with the test.
func asRoot(t *testing.T, s *testserver.DS389Server) *ldap.Conn {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// change writes to the server as the Directory Manager. No values remove the attribute.
func change(t *testing.T, s *testserver.DS389Server, dn, attribute string, values ...string) {
	t.Helper()
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace(attribute, values)
	if err := asRoot(t, s).Modify(r); err != nil {
		t.Fatalf("setting %s of %s: %v", attribute, dn, err)
	}
}

// choose gives the account a password of its owner's choice.
func choose(t *testing.T, s *testserver.DS389Server, dn, now, next string) {
	t.Helper()
	conn, err := s.Connect(dn, now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace("userPassword", []string{next})
	if err := conn.Modify(r); err != nil {
		t.Fatal(err)
	}
	// The server answers before it has noted the change.
	for deadline := time.Now().Add(10 * time.Second); value(t, s, dn, "passwordExpirationTime") == "19700101000000Z"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the user's own change did not take the mark away")
		}
	}
}

// fingerprint sums up what the server stores about people.
func fingerprint(t *testing.T, s *testserver.DS389Server) string {
	t.Helper()
	got, err := asRoot(t, s).Search(ldap.NewSearchRequest(s.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"*", "+"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, e := range got.Entries {
		for _, a := range e.Attributes {
			_, _ = fmt.Fprintf(sum, "%s\x00%s\x00%q\x00", e.DN, a.Name, a.Values)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// evidence reads what a worker would store before it changes anything.
func evidence(t *testing.T, c connectors.Connector, id schemas.Identity) schemas.Evidence {
	t.Helper()
	class, err := c.Classify(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return class.Evidence
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

// has tells whether one of the texts holds the words.
func has(texts []string, words string) bool {
	return slices.ContainsFunc(texts, func(w string) bool { return strings.Contains(w, words) })
}

// logged gives everything that the server has written down: its logs, the log of changes among them.
func logged(t *testing.T, s *testserver.DS389Server) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "log", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	var all strings.Builder
	for _, file := range append(files, filepath.Join(s.Dir(), "server.log")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
