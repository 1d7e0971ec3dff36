// Package openldap resets passwords in OpenLDAP with the password policy overlay (slapo-ppolicy). The README beside it says
// what a reset means there, which rights it takes, and what it cannot do.
package openldap

import (
	_ "embed"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one directory. All but url, bind_dn, password and base_dn may be left out:
//
//	url: ldaps://ldap.example.com              # ldap:// uses StartTLS
//	# urls: [ldaps://a.example.com, ldaps://b.example.com]   # in place of url: a list, tried in order
//	bind_dn: cn=resetd,ou=services,dc=example,dc=com
//	password: ${LDAP_PASSWORD}
//	base_dn: dc=example,dc=com                 # nothing outside is found or touched
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
//	# start_tls: true                          # for ldap://, where it is the default; remove it beside ldaps://
//	# allow_plaintext: false                   # true: ldap:// without encryption
//	# user_filter: (objectClass=person)        # what an account is
//	# uid_attribute: uid                       # what a user name or login is looked up by
//	# mail_attribute: mail                     # what an e-mail address is looked up by
//	# default_policy: cn=default,ou=policies,dc=example,dc=com   # recommended: the server's olcPPolicyDefault
//	# probe_dn: uid=canary,ou=people,dc=example,dc=com           # the account on which rights are tried out; the first that are found when left out
//	# timeout: 5s                              # of one exchange with a server
//	# pool: 4                                  # connections at most
type Config struct {
	// URL or URLs; see ldapconn.Settings for what an address may hold.
	URL  string   `yaml:"url"`
	URLs []string `yaml:"urls"`

	// BindDN and Password are resetd's own account, BaseDN the entry below which everything happens.
	BindDN   string         `yaml:"bind_dn"`
	Password schemas.Secret `yaml:"password"`
	BaseDN   string         `yaml:"base_dn"`

	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`
	// StartTLS is on for ldap:// unless AllowPlaintext says that the connection may stay readable.
	StartTLS       *bool `yaml:"start_tls"`
	AllowPlaintext bool  `yaml:"allow_plaintext"`

	// UserFilter decides what an account is, also for an identity that was found under another filter earlier.
	UserFilter    string `yaml:"user_filter"`
	UIDAttribute  string `yaml:"uid_attribute"`
	MailAttribute string `yaml:"mail_attribute"`

	// DefaultPolicy is what the server has as olcPPolicyDefault, which resetd cannot read for itself.
	DefaultPolicy string `yaml:"default_policy"`
	ProbeDN       string `yaml:"probe_dn"`

	// Timeout bounds one exchange; a call has a few of them, and the system's own time-out bounds the call.
	Timeout time.Duration `yaml:"timeout"`
	Pool    int           `yaml:"pool"`
}

//go:embed example.yaml
var example string

// Kind is "openldap".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "openldap", Example: example, New: func() connectors.Config {
		return &Config{UserFilter: "(objectClass=person)", UIDAttribute: "uid", MailAttribute: "mail", Timeout: 5 * time.Second, Pool: 4}
	}}
}

// Secrets lists the bind password.
func (c *Config) Secrets() []schemas.Secret { return []schemas.Secret{c.Password} }

// Open makes the connector. It reads the CA file and connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	base, err := ldapconn.ParseDN("base_dn", c.BaseDN)
	if err != nil {
		return nil, err
	}
	bind, err := ldapconn.ParseDN("bind_dn", c.BindDN)
	if err != nil {
		return nil, err
	}
	d := &directory{config: *c, env: env, base: base, bind: bind}
	dialer, err := ldapconn.NewDialer(c.connection(env.System), ldapconn.Product[root]{SignIn: d.signIn, Greet: greet, Meanings: meanings})
	if err != nil {
		return nil, err
	}
	d.pool = ldapconn.NewPool(dialer, c.Pool)
	return d, nil
}
