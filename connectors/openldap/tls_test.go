package openldap_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/connectors/openldap"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// encrypted gives settings for a connection that nobody can read.
func encrypted(s *testserver.SlapdServer, url string) *openldap.Config {
	c := configOf(s)
	c.URL, c.AllowPlaintext, c.TLSCA = url, false, s.CAFile
	return c
}

func TestEncryptedConnectionsWorkWithTheServersAuthority(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(2))
	next := fresh(s)
	for name, url := range map[string]string{"LDAPS": s.LDAPSURL, "StartTLS": s.URL} {
		t.Run(name, func(t *testing.T) {
			p := next(t)
			c := open(t, encrypted(s, url))
			got, err := c.Probe(t.Context())
			if err != nil || len(got.Missing) > 0 || warns(got, "not encrypted") {
				t.Fatalf("Probe: %+v, %v", got, err)
			}
			if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize); err != nil {
				t.Fatal(err)
			}
			if got := login(t, s, "uid="+p.Account.Value+","+s.PeopleDN, p.Password); got != "refused" {
				t.Errorf("the old password is %s", got)
			}
		})
	}
}

func TestServerOfAnUnknownAuthorityIsRefused(t *testing.T) {
	s := testserver.Slapd(t)
	stranger, _ := ldaptest.Authority(t, "127.0.0.1")
	for name, url := range map[string]string{"LDAPS": s.LDAPSURL, "StartTLS": s.URL} {
		for ca, file := range map[string]string{"another authority": stranger, "the machine's own authorities": ""} {
			t.Run(name+" with "+ca, func(t *testing.T) {
				config := encrypted(s, url)
				config.TLSCA = file
				_, err := open(t, config).Probe(t.Context())
				if detail := wantCode(t, err, schemas.CodeUnavailable); !strings.Contains(detail, "tls_ca") {
					t.Errorf("the detail does not lead to tls_ca: %s", detail)
				}
			})
		}
	}
}

func TestServerThatCannotBeTrustedHearsNothing(t *testing.T) {
	for name, one := range map[string]struct {
		host    string
		version uint16 // the highest that the server speaks
		heard   int
	}{"another name": {"ldap.example.net", 0, 0}, "TLS 1.1": {"127.0.0.1", tls.VersionTLS11, 0}, "one that can": {"127.0.0.1", 0, 1}} {
		t.Run(name, func(t *testing.T) {
			ca, certificate := ldaptest.Authority(t, one.host)
			heard := make(chan int, 1)
			url := ldaptest.Listen(t, func(conn net.Conn) {
				secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: one.version})
				n, _ := secure.Read(make([]byte, 1))
				_ = conn.Close()
				heard <- n
			})
			c := openldap.Kind().New().(*openldap.Config)
			c.URL, c.TLSCA = strings.Replace(url, "ldap://", "ldaps://", 1), ca
			c.BindDN, c.BaseDN, c.Password = "cn=resetd", "dc=example", schemas.NewSecret("hidden")
			_, err := open(t, c).Probe(t.Context())
			wantCode(t, err, schemas.CodeUnavailable)
			if n := <-heard; n != one.heard {
				t.Errorf("it heard %d bytes, want %d", n, one.heard)
			}
		})
	}
}

func TestServerWithoutStartTLSIsNotTalkedToInTheClear(t *testing.T) {
	s := testserver.Slapd(t)
	p := newProxy(t, s.URL)
	// slapd does StartTLS; the proxy takes what follows for broken LDAP and never passes it on.
	c := encrypted(s, p.URL)
	_, err := open(t, c).Probe(t.Context())
	wantCode(t, err, schemas.CodeUnavailable)
}

func TestUnencryptedConnectionIsAnErrorUnlessAllowed(t *testing.T) {
	s := testserver.Slapd(t)
	no, yes := false, true
	for name, one := range map[string]struct {
		startTLS *bool
		allow    bool
		url      string
		key      string // of the mistake; empty for none
	}{
		"ldap:// alone does StartTLS":                  {nil, false, s.URL, ""},
		"ldap:// with StartTLS":                        {&yes, false, s.URL, ""},
		"ldap:// without StartTLS":                     {&no, false, s.URL, "url"},
		"ldap:// without StartTLS, allowed":            {&no, true, s.URL, ""},
		"ldap:// allowed":                              {nil, true, s.URL, ""},
		"ldap:// with StartTLS and allowed, which one": {&yes, true, s.URL, "url"},
		"ldaps:// with StartTLS":                       {&yes, false, s.LDAPSURL, "url"},
		"ldaps:// without StartTLS":                    {&no, false, s.LDAPSURL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := encrypted(s, one.url)
			c.StartTLS, c.AllowPlaintext = one.startTLS, one.allow
			err := c.Validate()
			if mistake, _ := errors.AsType[*connectors.ConfigError](err); (mistake != nil) != (one.key != "") || mistake != nil && mistake.Key != one.key {
				t.Fatalf("Validate: %v, want a mistake at %q", err, one.key)
			}
			if err != nil {
				return
			}
			got, err := open(t, c).Probe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if plain := one.allow && one.url == s.URL; warns(got, "not encrypted") != plain {
				t.Errorf("warnings are %q on a connection that is encrypted: %t", got.Warn, !plain)
			}
		})
	}
}
