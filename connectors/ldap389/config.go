package ldap389

import (
	"errors"
	"regexp"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
)

// attributeForm is an attribute description without options: a short name or an object identifier (RFC 4512 §2.5).
var attributeForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	connection := c.connection("")
	_, all := connection.Servers()
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	if c.Password.Empty() {
		add(connectors.Mistake("password", "this is missing; give the password of bind_dn"))
	}
	_, err := ldapconn.ParseDN("bind_dn", c.BindDN)
	add(err)
	base, err := ldapconn.ParseDN("base_dn", c.BaseDN)
	add(err)
	if c.ProbeDN != "" {
		probe, err := ldapconn.ParseDN("probe_dn", c.ProbeDN)
		if err == nil && base != nil && !base.AncestorOfFold(probe) {
			err = connectors.Mistake("probe_dn", "this does not lie below base_dn, where resetd acts; name an account there")
		}
		add(err)
	}
	if _, err := ldap.CompileFilter(c.UserFilter); err != nil {
		add(connectors.Mistake("user_filter", "this is no LDAP filter; write one in parentheses, such as (objectClass=person)"))
	}
	for _, one := range [][2]string{{"uid_attribute", c.UIDAttribute}, {"mail_attribute", c.MailAttribute}} {
		if !attributeForm.MatchString(one[1]) {
			add(connectors.Mistake(one[0], "this is no attribute name; write one such as uid or mail"))
		}
	}
	return errors.Join(append(all, connection.Mistakes()...)...)
}

// connection gives the settings of the connection. StartTLS is not a choice here, so it has no key.
func (c *Config) connection(system string) ldapconn.Settings {
	return ldapconn.Settings{URL: c.URL, URLs: c.URLs, TLSCA: c.TLSCA, Timeout: c.Timeout, Pool: c.Pool, System: system}
}
