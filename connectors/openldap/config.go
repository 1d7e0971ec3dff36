package openldap

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
	_, all := c.connection("").Servers()
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
			_, err := ldapconn.ParseDN(one.key, one.dn)
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
	return errors.Join(append(all, c.connection("").Mistakes()...)...)
}

// connection gives the settings of the connection.
func (c *Config) connection(system string) ldapconn.Settings {
	return ldapconn.Settings{URL: c.URL, URLs: c.URLs, TLSCA: c.TLSCA, StartTLS: c.StartTLS, AllowPlaintext: c.AllowPlaintext,
		Timeout: c.Timeout, Pool: c.Pool, System: system}
}
