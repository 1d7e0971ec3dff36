package ldapconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
)

// Settings is how a directory is reached. The keys in its mistakes are those under which every kind has these settings.
type Settings struct {
	// URL or URLs: ldaps://HOST[:PORT] or ldap://HOST[:PORT].
	URL  string
	URLs []string
	// TLSCA is a PEM file with the authorities to trust in place of the machine's own.
	TLSCA string
	// StartTLS is on for ldap:// unless AllowPlaintext says that the connection may stay readable.
	StartTLS       *bool
	AllowPlaintext bool

	Timeout time.Duration // of one exchange
	Pool    int           // connections at most
	System  string        // the system's name in the configuration, for messages
}

// Server is one address of the directory.
type Server struct {
	URL      string // as it is shown
	address  string // host:port
	name     string // host, as the certificate must name it
	ldaps    bool
	startTLS bool
}

// Encrypted tells whether nobody on the way can read what is sent.
func (s Server) Encrypted() bool { return s.ldaps || s.startTLS }

// Mistakes tells everything that is wrong with the time-out and the size of the pool; those of the addresses are told by
// Servers.
func (c Settings) Mistakes() (all []error) {
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		all = append(all, connectors.Mistake("timeout", "this must be between 100ms and 5m"))
	}
	if c.Pool < 1 || c.Pool > 256 {
		all = append(all, connectors.Mistake("pool", "this must be between 1 and 256 connections"))
	}
	return all
}

// Servers reads the addresses and settles how each is protected. It gives every mistake, as *connectors.ConfigError.
func (c Settings) Servers() (out []Server, mistakes []error) {
	list, key := c.URLs, "urls"
	switch {
	case c.URL != "" && len(list) > 0:
		return nil, []error{connectors.Mistake("urls", "url is set too; keep one of the two")}
	case c.URL != "":
		list, key = []string{c.URL}, "url"
	case len(list) == 0:
		return nil, []error{connectors.Mistake("url", "this is missing; write ldaps://HOST or ldap://HOST")}
	}
	for _, text := range list {
		s, err := c.server(text)
		if err != nil {
			mistakes = append(mistakes, connectors.Mistake(key, "%w", err))
		}
		out = append(out, s)
	}
	return out, mistakes
}

// server reads one address. An LDAP URL could hold a base, a filter and an account too (RFC 4516); each of these has its
// key, and a part that is silently left out would be a trap.
func (c Settings) server(text string) (Server, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		return Server{}, errors.New("an address is ldaps://HOST, ldaps://HOST:PORT or the same with ldap://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return Server{}, fmt.Errorf("%s://%s has more than host and port; base and account have keys of their own", u.Scheme, u.Host)
	}
	s := Server{URL: u.Scheme + "://" + u.Host, name: u.Hostname(), ldaps: u.Scheme == "ldaps"}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: ldap.DefaultLdapsPort, false: ldap.DefaultLdapPort}[s.ldaps]
	}
	s.address = net.JoinHostPort(s.name, port)
	wanted := c.StartTLS != nil && *c.StartTLS
	switch {
	case s.ldaps && wanted:
		return s, fmt.Errorf("%s is encrypted from the start; remove start_tls or write ldap://", s.URL)
	case s.ldaps:
		return s, nil
	case wanted && c.AllowPlaintext:
		return s, errors.New("start_tls and allow_plaintext contradict each other; remove one of the two")
	case c.StartTLS != nil && !wanted && !c.AllowPlaintext:
		return s, fmt.Errorf("%s without StartTLS sends passwords readable over the network; use ldaps://, remove start_tls, "+
			"or write allow_plaintext: true if nobody can listen there", s.URL)
	}
	s.startTLS = !c.AllowPlaintext
	return s, nil
}

// protection gives what encrypted connections are made with.
func (c Settings) protection() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, connectors.Mistake("tls_ca", "the file cannot be read: %w", err)
	}
	// An empty pool and not the machine's: whoever names an authority wants that one and no other.
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, connectors.Mistake("tls_ca", "%s holds no certificate in PEM form (BEGIN CERTIFICATE)", c.TLSCA)
	}
	return config, nil
}

// ParseDN reads a distinguished name that must not be empty: the empty one is the server itself. Its errors are
// *connectors.ConfigError for the key.
func ParseDN(key, text string) (*ldap.DN, error) {
	if text == "" {
		return nil, connectors.Mistake(key, "this is missing; write a distinguished name such as dc=example,dc=com")
	}
	dn, err := ldap.ParseDN(text)
	if err != nil || len(dn.RDNs) == 0 {
		return nil, connectors.Mistake(key, "this is no distinguished name; write one such as ou=people,dc=example,dc=com")
	}
	return dn, nil
}
