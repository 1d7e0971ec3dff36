package activedirectory_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/activedirectory"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// configOf gives the settings that an operator would write for the server.
func configOf(s *testserver.SambaServer) *activedirectory.Config {
	c := activedirectory.Kind().New().(*activedirectory.Config)
	c.URL, c.TLSCA = s.LDAPSURL, s.CAFile
	c.BindUser, c.Password, c.BaseDN = s.ServiceName, schemas.NewSecret(s.ServicePassword), s.BaseDN
	return c
}

// through gives settings that lead to a proxy.
func through(s *testserver.SambaServer, p *proxy) *activedirectory.Config {
	c := configOf(s)
	c.URL, c.TLSCA = p.URL, p.ca
	return c
}

// proxy is a proxy that ends the encryption, with the authority that its clients need.
type proxy struct {
	*ldaptest.Proxy
	ca          string
	certificate tls.Certificate
}

func newProxy(t *testing.T, s *testserver.SambaServer) *proxy {
	t.Helper()
	ca, certificate := ldaptest.Authority(t, "127.0.0.1")
	return proxyWith(t, s, ca, certificate)
}

// newProxySharing makes a proxy that shows the certificate of another.
func newProxySharing(t *testing.T, s *testserver.SambaServer, other *proxy) *proxy {
	t.Helper()
	return proxyWith(t, s, other.ca, other.certificate)
}

func proxyWith(t *testing.T, s *testserver.SambaServer, ca string, certificate tls.Certificate) *proxy {
	t.Helper()
	config, err := s.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	return &proxy{ca: ca, certificate: certificate, Proxy: ldaptest.NewProxy(t, ldaptest.Target{
		Dial:   func() (net.Conn, error) { return tls.Dial("tcp", net.JoinHostPort(s.Address, "636"), config) },
		TLS:    &tls.Config{Certificates: []tls.Certificate{certificate}},
		Secret: "unicodePwd", Read: typed,
	})}
}

// typed gives a password out of the form that unicodePwd has.
func typed(value string) string {
	units := make([]uint16, len(value)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16([]byte(value[2*i:]))
	}
	return strings.Trim(string(utf16.Decode(units)), `"`)
}

// quotedForTest is the opposite of typed.
func quotedForTest(password string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// open makes a connector of valid settings. It is closed with the test.
func open(t *testing.T, c *activedirectory.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func unclosed(t *testing.T, c *activedirectory.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "corp-ad"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// identityOf reads an account's objectGUID past the connector.
func identityOf(t *testing.T, s *testserver.SambaServer, dn string) schemas.Identity {
	t.Helper()
	got, err := s.Values(dn, "objectGUID")
	if err != nil || len(got) != 1 || len(got[0]) != 16 {
		t.Fatalf("objectGUID of %s: %v, %v", dn, got, err)
	}
	g := got[0]
	le := binary.LittleEndian
	return schemas.Identity{ID: fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(g), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:]), Name: dn}
}

// named gives the identity of one of the server's people.
func named(t *testing.T, s *testserver.SambaServer, name string) schemas.Identity {
	t.Helper()
	return identityOf(t, s, s.Person(name).DN)
}

// fresh gives accounts that no test has touched, of those that WithAccounts made.
func fresh(s *testserver.SambaServer) func(t *testing.T) conformance.Person {
	return func(t *testing.T) conformance.Person {
		t.Helper()
		n := int(shared.used.Add(1))
		if n > people {
			t.Fatalf("all %d accounts are used up; raise people", people)
		}
		p := s.Person(testserver.BulkUID(n))
		return conformance.Person{Account: schemas.Account{Type: schemas.AccountUserName, Value: p.UID}, ID: identityOf(t, s, p.DN).ID, Password: p.Password}
	}
}

// login signs in at the server by the user principal name.
func login(t *testing.T, s *testserver.SambaServer, name, password string) conformance.Login {
	t.Helper()
	conn, err := s.Connect(name+"@resetd.test", password)
	switch {
	case err == nil:
		_ = conn.Close()
		return conformance.LoginAccepted
	case strings.Contains(err.Error(), "data 773,"):
		return conformance.LoginMustChange
	case strings.Contains(err.Error(), "data 52e,"):
		return conformance.LoginRefused
	}
	t.Fatalf("signing in as %s: %v", name, err)
	return ""
}

// change writes to an entry as the administrator.
func change(t *testing.T, s *testserver.SambaServer, dn, attribute string, values ...string) {
	t.Helper()
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace(attribute, values)
	if err := s.As(t).Modify(r); err != nil {
		t.Fatalf("setting %s of %s: %v", attribute, dn, err)
	}
}

// add puts an entry into the domain as the administrator.
func add(t *testing.T, s *testserver.SambaServer, dn string, attributes map[string]string) {
	t.Helper()
	r := ldap.NewAddRequest(dn, nil)
	for name, value := range attributes {
		r.Attribute(name, []string{value})
	}
	if err := s.As(t).Add(r); err != nil {
		t.Fatalf("adding %s: %v", dn, err)
	}
}

// value reads one attribute with one value as text.
func value(t *testing.T, s *testserver.SambaServer, dn, attribute string) string {
	t.Helper()
	got, err := s.Values(dn, attribute)
	if err != nil || len(got) > 1 {
		t.Fatalf("%s of %s: %q, %v", attribute, dn, got, err)
	}
	if len(got) == 0 {
		return ""
	}
	return string(got[0])
}

// fingerprint sums up what the domain stores about people. Log-ins leave no trace in it.
func fingerprint(t *testing.T, s *testserver.SambaServer) string {
	t.Helper()
	got, err := s.As(t).Search(ldap.NewSearchRequest(s.PeopleDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"replPropertyMetaData"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, e := range got.Entries {
		_, _ = fmt.Fprintf(sum, "%s\x00%x\x00", e.DN, e.GetRawAttributeValue("replPropertyMetaData"))
	}
	return hex.EncodeToString(sum.Sum(nil))
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

// secure gives an address as one that is encrypted from the start.
func secure(url string) string { return strings.Replace(url, "ldap://", "ldaps://", 1) }

// has tells whether one of the texts holds the words.
func has(texts []string, words string) bool {
	return slices.ContainsFunc(texts, func(w string) bool { return strings.Contains(w, words) })
}
