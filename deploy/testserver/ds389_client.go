package testserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"github.com/go-ldap/ldap/v3"
)

// Bind signs in with the password policy control (draft-behera-ldap-password-policy) and disconnects again. It returns the
// control's error code, 2 for "password must be changed", or -1 when the server sent none, and the error of the bind.
func (s *DS389Server) Bind(dn, password string) (policy int, err error) {
	conn, err := s.dial()
	if err != nil {
		return -1, err
	}
	defer func() { _ = conn.Close() }() // the bind's result is all that matters
	result, err := conn.SimpleBind(ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}))
	policy = -1
	if result != nil {
		if answer, ok := ldap.FindControl(result.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy); ok {
			policy = int(answer.Error)
		}
	}
	return policy, err
}

// Connect returns a connection that is signed in. The caller closes it.
func (s *DS389Server) Connect(dn, password string) (*ldap.Conn, error) {
	conn, err := s.dial()
	if err != nil {
		return nil, err
	}
	if err := conn.Bind(dn, password); err != nil {
		_ = conn.Close() // the bind's error is the one to tell
		return nil, err
	}
	return conn, nil
}

// Values reads one attribute of one entry as the Directory Manager. An absent attribute is an empty list; an absent entry
// is an *ldap.Error with code 32.
func (s *DS389Server) Values(dn, attribute string) ([]string, error) {
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing is pending any more
	result, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{attribute}, nil))
	if err != nil {
		return nil, err
	}
	return result.Entries[0].GetEqualFoldAttributeValues(attribute), nil
}

// TLSConfig returns a client's settings that trust the server's authority and nobody else.
func (s *DS389Server) TLSConfig() (*tls.Config, error) {
	content, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the server's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate", s.CAFile)
	}
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, nil
}

// answers succeeds when our server, and no stranger on the same port, lets the Directory Manager sign in and shows the
// company.
func (s *DS389Server) answers(context.Context) error {
	_, err := s.Values(s.BaseDN, "dc")
	return err
}

func (s *DS389Server) dial() (*ldap.Conn, error) {
	config, err := s.TLSConfig()
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(s.URL, ldap.DialWithTLSConfig(config), ldap.DialWithDialer(&net.Dialer{Timeout: clientLimit}))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(clientLimit)
	return conn, nil
}
