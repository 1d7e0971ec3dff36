package openldap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
)

// attributeForm is an attribute description without options: a short name or an object identifier (RFC 4512 §2.5).
var attributeForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)

// server is one address of the directory.
type server struct {
	url      string // as it is shown
	address  string // host:port
	name     string // host, as the certificate must name it
	ldaps    bool
	startTLS bool
}

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	_, all := c.servers()
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	if c.Password.Empty() {
		add(connectors.Mistake("password", "this is missing; give the password of bind_dn"))
	}
	for _, one := range []struct {
		key, dn  string
		required bool
	}{{"bind_dn", c.BindDN, true}, {"base_dn", c.BaseDN, true}, {"default_policy", c.DefaultPolicy, false}, {"probe_dn", c.ProbeDN, false}} {
		if one.required || one.dn != "" {
			_, err := parseDN(one.key, one.dn)
			add(err)
		}
	}
	if _, err := ldap.CompileFilter(c.UserFilter); err != nil {
		add(connectors.Mistake("user_filter", "this is no LDAP filter; write one in parentheses, such as (objectClass=person)"))
	}
	for _, one := range [][2]string{{"uid_attribute", c.UIDAttribute}, {"mail_attribute", c.MailAttribute}} {
		if !attributeForm.MatchString(one[1]) {
			add(connectors.Mistake(one[0], "this is no attribute name; write one such as uid or mail"))
		}
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		add(connectors.Mistake("timeout", "this must be between 100ms and 5m"))
	}
	if c.Pool < 1 || c.Pool > 256 {
		add(connectors.Mistake("pool", "this must be between 1 and 256 connections"))
	}
	return errors.Join(all...)
}

// servers reads the addresses and settles how each is protected. It gives every mistake.
func (c *Config) servers() (out []server, mistakes []error) {
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
func (c *Config) server(text string) (server, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		return server{}, errors.New("an address is ldaps://HOST, ldaps://HOST:PORT or the same with ldap://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return server{}, fmt.Errorf("%s://%s has more than host and port; the base belongs into base_dn, the account into bind_dn", u.Scheme, u.Host)
	}
	s := server{url: u.Scheme + "://" + u.Host, name: u.Hostname(), ldaps: u.Scheme == "ldaps"}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: ldap.DefaultLdapsPort, false: ldap.DefaultLdapPort}[s.ldaps]
	}
	s.address = net.JoinHostPort(s.name, port)
	wanted := c.StartTLS != nil && *c.StartTLS
	switch {
	case s.ldaps && wanted:
		return s, fmt.Errorf("%s is encrypted from the start; remove start_tls or write ldap://", s.url)
	case s.ldaps:
		return s, nil
	case wanted && c.AllowPlaintext:
		return s, errors.New("start_tls and allow_plaintext contradict each other; remove one of the two")
	case c.StartTLS != nil && !wanted && !c.AllowPlaintext:
		return s, fmt.Errorf("%s without StartTLS sends passwords readable over the network; use ldaps://, remove start_tls, "+
			"or write allow_plaintext: true if nobody can listen there", s.url)
	}
	s.startTLS = !c.AllowPlaintext
	return s, nil
}

// dialer makes what connections are made with.
func (c *Config) dialer(env connectors.Env) (*dialer, error) {
	servers, mistakes := c.servers()
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	d := &dialer{servers: servers, bindDN: c.BindDN, password: c.Password, timeout: c.Timeout, system: env.System,
		tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	if c.TLSCA == "" {
		return d, nil
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, connectors.Mistake("tls_ca", "the file cannot be read: %w", err)
	}
	// An empty pool and not the machine's: whoever names an authority wants that one and no other.
	d.tls.RootCAs = x509.NewCertPool()
	if !d.tls.RootCAs.AppendCertsFromPEM(pem) {
		return nil, connectors.Mistake("tls_ca", "%s holds no certificate in PEM form (BEGIN CERTIFICATE)", c.TLSCA)
	}
	return d, nil
}

// parseDN reads a distinguished name that must not be empty: the empty one is the server itself.
func parseDN(key, text string) (*ldap.DN, error) {
	if text == "" {
		return nil, connectors.Mistake(key, "this is missing; write a distinguished name such as dc=example,dc=com")
	}
	dn, err := ldap.ParseDN(text)
	if err != nil || len(dn.RDNs) == 0 {
		return nil, connectors.Mistake(key, "this is no distinguished name; write one such as ou=people,dc=example,dc=com")
	}
	return dn, nil
}
