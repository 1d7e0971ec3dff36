package testserver

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestEncryptedConnectionsVerifyWithTheAuthority(t *testing.T) {
	s := Slapd(t)
	trusting, err := s.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	stranger := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	for name, open := range map[string]func(*tls.Config) (*ldap.Conn, error){
		"ldaps": func(config *tls.Config) (*ldap.Conn, error) {
			return ldap.DialURL(s.LDAPSURL, ldap.DialWithTLSConfig(config))
		},
		"starttls": func(config *tls.Config) (*ldap.Conn, error) {
			conn, err := s.dial()
			if err != nil {
				return nil, err
			}
			return conn, conn.StartTLS(config)
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := open(trusting)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			wantCode(t, conn.Bind(s.ServiceDN, s.ServicePassword), ldap.LDAPResultSuccess)

			// Nothing differs but the trust. The handshake's own error type is
			// lost in go-ldap's.
			_, err = open(stranger)
			wantCode(t, err, ldap.ErrorNetwork)
		})
	}
}

func TestCertificateNamesLocalhostToo(t *testing.T) {
	s := Slapd(t)
	config, err := s.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	config.ServerName = "localhost"
	conn, err := ldap.DialURL(s.LDAPSURL, ldap.DialWithTLSConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
