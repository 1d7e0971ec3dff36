package activedirectory

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	connection := c.connection("")
	servers, all := connection.Servers()
	for _, s := range servers {
		if strings.HasSuffix(s.URL, ":3268") || strings.HasSuffix(s.URL, ":3269") {
			all = append(all, connectors.Mistake(c.urlKey(), "%s is a global catalog, which shows too little and takes no change; write the port 636, or none", s.URL))
		}
	}
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	add(checkBindUser(c.BindUser))
	if c.Password.Empty() {
		add(connectors.Mistake("password", "this is missing; give the password of bind_user"))
	}
	base, err := ldapconn.ParseDN("base_dn", c.BaseDN)
	add(err)
	if c.ProbeDN != "" {
		probe, err := ldapconn.ParseDN("probe_dn", c.ProbeDN)
		if err == nil && base != nil && !(&directory{base: base}).below(probe) {
			err = connectors.Mistake("probe_dn", "this does not lie below base_dn, where resetd acts; name an account there")
		}
		add(err)
	}
	_, err = c.protected()
	add(err)
	return errors.Join(append(all, connection.Mistakes()...)...)
}

// urlKey is the key that the addresses stand under.
func (c *Config) urlKey() string {
	if len(c.URLs) > 0 {
		return "urls"
	}
	return "url"
}

// connection gives the settings of the connection. StartTLS is not a choice here, so it has no key.
func (c *Config) connection(system string) ldapconn.Settings {
	return ldapconn.Settings{URL: c.URL, URLs: c.URLs, TLSCA: c.TLSCA, Timeout: c.Timeout, Pool: c.Pool, System: system}
}

// checkBindUser takes the three forms of a name that a domain controller takes for a simple bind and that resetd can look up, to
// know its own account ([MS-ADTS] 5.1.1.1.1).
func checkBindUser(name string) error {
	if name == "" {
		return connectors.Mistake("bind_user", "this is missing; write a user principal name such as resetd@corp.example.com")
	}
	if strings.ContainsAny(name, `@\`) && !strings.Contains(name, "=") {
		return nil
	}
	if dn, err := ldap.ParseDN(name); err == nil && len(dn.RDNs) > 0 {
		return nil
	}
	return connectors.Mistake("bind_user", `this is no account's name; write name@corp.example.com, CORP\name or a distinguished name`)
}

// protected reads protected_groups.
func (c *Config) protected() (map[string]bool, error) {
	out := map[string]bool{}
	for _, text := range c.ProtectedGroups {
		sid, err := parseSID(text)
		if err != nil {
			return nil, connectors.Mistake("protected_groups", "%w", fmt.Errorf("%q is no SID; write one such as S-1-5-21-1004336348-1177238915-682003330-1180", text))
		}
		out[sid.String()] = true
	}
	return out, nil
}
