package testserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// clientLimit bounds every call of the helpers below: long enough for a crowded
// machine, and short enough to tell a paused server from a slow one.
const clientLimit = 10 * time.Second

// Bind signs in over ldap:// with the password policy control
// (draft-behera-ldap-password-policy) and disconnects again. It returns the
// control's error code, e.g. 2 for "password must be changed" and 0 for
// "expired", or -1 when the server sent none, and the error of the bind, an
// *ldap.Error such as code 49 for a wrong password.
func (s *SlapdServer) Bind(dn, password string) (policy int, err error) {
	conn, err := s.dial()
	if err != nil {
		return -1, err
	}
	defer func() { _ = conn.Close() }() // the bind's result is all that matters
	request := ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
	result, err := conn.SimpleBind(request)
	policy = -1
	if result != nil {
		control := ldap.FindControl(result.Controls, ldap.ControlTypeBeheraPasswordPolicy)
		if answer, ok := control.(*ldap.ControlBeheraPasswordPolicy); ok {
			policy = int(answer.Error)
		}
	}
	return policy, err
}

// Connect returns a connection over ldap:// that is signed in. The caller
// closes it.
func (s *SlapdServer) Connect(dn, password string) (*ldap.Conn, error) {
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

// Values reads one attribute of one entry with the root account's rights, which
// shows operational attributes such as pwdReset too. An absent attribute is an
// empty list; an absent entry is an *ldap.Error with code 32.
func (s *SlapdServer) Values(dn, attribute string) ([]string, error) {
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing is pending any more
	request := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{attribute}, nil)
	result, err := conn.Search(request)
	if err != nil {
		return nil, err
	}
	return result.Entries[0].GetAttributeValues(attribute), nil
}

// TLSConfig returns a client's settings that trust the server's authority and
// nobody else, for ldaps:// and StartTLS.
func (s *SlapdServer) TLSConfig() (*tls.Config, error) {
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

// answers succeeds when our slapd, and no stranger on the same port, lets root
// sign in.
func (s *SlapdServer) answers(context.Context) error {
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (s *SlapdServer) dial() (*ldap.Conn, error) {
	conn, err := ldap.DialURL(s.URL, ldap.DialWithDialer(&net.Dialer{Timeout: clientLimit}))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(clientLimit)
	return conn, nil
}
