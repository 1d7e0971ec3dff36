package testserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// TLSConfig returns a client's settings that trust the server's authority and nobody else.
func (s *SambaServer) TLSConfig() (*tls.Config, error) {
	content, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the server's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate", s.CAFile)
	}
	return &tls.Config{RootCAs: roots, ServerName: s.Address, MinVersion: tls.VersionTLS12}, nil
}

// Connect returns a connection over ldaps:// that is signed in. The name is a user principal name or a distinguished name.
// The caller closes it.
func (s *SambaServer) Connect(name, password string) (*ldap.Conn, error) {
	config, err := s.TLSConfig()
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(s.LDAPSURL, ldap.DialWithTLSConfig(config), ldap.DialWithDialer(&net.Dialer{Timeout: clientLimit}))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(clientLimit)
	if err := conn.Bind(name, password); err != nil {
		_ = conn.Close() // the bind's error is the one to tell
		return nil, err
	}
	return conn, nil
}

// As signs in as the built-in Administrator for the time of a test, which ends on any error.
func (s *SambaServer) As(t testing.TB) *ldap.Conn {
	t.Helper()
	conn, err := s.Connect(s.AdminName, s.AdminPassword)
	if err != nil {
		t.Fatalf("signing in as the administrator: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Values reads one attribute of one entry with the administrator's rights, as bytes.
func (s *SambaServer) Values(dn, attribute string) ([][]byte, error) {
	conn, err := s.Connect(s.AdminName, s.AdminPassword)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing is pending any more
	result, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{attribute}, nil))
	if err != nil {
		return nil, err
	}
	return result.Entries[0].GetRawAttributeValues(attribute), nil
}

// Kinit asks the server's Kerberos for a ticket as a user does and returns what kinit said, and whether there was a
// ticket. Answers are what is typed after the password, one a line.
func (s *SambaServer) Kinit(ctx context.Context, user, password string, answers ...string) (said string, ok bool) {
	cmd := exec.CommandContext(ctx, "kinit", user+"@RESETD.TEST")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "KRB5_CONFIG=" + s.space.file("krb5.conf"), "KRB5CCNAME=MEMORY:"}
	cmd.Stdin = strings.NewReader(strings.Join(append([]string{password}, answers...), "\n") + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// kerberosConfig renders krb5.conf: this server and no other, found without DNS.
func (s *SambaServer) kerberosConfig() []byte {
	return fmt.Appendf(nil, "[libdefaults]\n default_realm = RESETD.TEST\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n udp_preference_limit = 1\n"+
		"[realms]\n RESETD.TEST = {\n  kdc = %s\n  kpasswd_server = %s\n }\n", s.Address, s.Address)
}

// answers succeeds when our server, and no stranger at the same address, lets the administrator sign in, and Kerberos listens.
func (s *SambaServer) answers(context.Context) error {
	conn, err := s.Connect(s.AdminName, s.AdminPassword)
	if err != nil {
		return err
	}
	_ = conn.Close() // it has served its purpose
	kdc, err := net.DialTimeout("tcp", net.JoinHostPort(s.Address, "88"), clientLimit)
	if err != nil {
		return err
	}
	return kdc.Close()
}
