// Package ldap389 resets passwords in 389 Directory Server, which Red Hat Directory Server is made from. The README beside it
// says what a reset means there, which rights it takes, and what it cannot do.
package ldap389

import (
	"context"
	_ "embed"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one directory. All but url, bind_dn, password and base_dn may be left out:
//
//	url: ldaps://ds.example.com                # ldap:// uses StartTLS
//	# urls: [ldaps://a.example.com, ldaps://b.example.com]   # in place of url: a list, tried in order
//	bind_dn: uid=resetd,ou=services,dc=example,dc=com
//	password: ${LDAP_PASSWORD}
//	base_dn: dc=example,dc=com                 # nothing outside is found or touched
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
//	# user_filter: (objectClass=person)        # what an account is
//	# uid_attribute: uid                       # what a user name or login is looked up by
//	# mail_attribute: mail                     # what an e-mail address is looked up by
//	# probe_dn: uid=canary,ou=people,dc=example,dc=com   # the account on which rights are looked at; the first that are found when left out
//	# timeout: 5s                              # of one exchange with a server
//	# pool: 4                                  # connections at most
type Config struct {
	// URL or URLs: ldaps://HOST[:PORT], or ldap://HOST[:PORT], which begins with StartTLS. There is no unencrypted connection.
	URL  string   `yaml:"url"`
	URLs []string `yaml:"urls"`

	// BindDN and Password are resetd's own account, BaseDN the entry below which everything happens.
	BindDN   string         `yaml:"bind_dn"`
	Password schemas.Secret `yaml:"password"`
	BaseDN   string         `yaml:"base_dn"`

	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`

	// UserFilter decides what an account is, also for an identity that was found under another filter earlier.
	UserFilter    string `yaml:"user_filter"`
	UIDAttribute  string `yaml:"uid_attribute"`
	MailAttribute string `yaml:"mail_attribute"`

	ProbeDN string `yaml:"probe_dn"`

	// Timeout bounds one exchange; a call has a few of them, and the system's own time-out bounds the call.
	Timeout time.Duration `yaml:"timeout"`
	Pool    int           `yaml:"pool"`
}

// settle is how long a change that was given up may still be under way. The server knows no assertions (RFC 4528). Changes are
// bound to the passwordExpirationTime that was read, but of an account that has to change its password already that is always
// the same, and then two attempts look alike.
const settle = 15 * time.Second

//go:embed example.yaml
var example string

// Kind is "ldap389".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "ldap389", Example: example, Settle: settle, New: func() connectors.Config {
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

// directory is the connector.
type directory struct {
	config Config
	env    connectors.Env
	base   *ldap.DN
	bind   *ldap.DN
	pool   *ldapconn.Pool[root]

	learned learned
}

// Revoke says that there is nothing to end: LDAP has no sessions beyond the connection, and no way to end those of others.
func (d *directory) Revoke(context.Context, schemas.Identity) (schemas.Receipt, error) {
	return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "389 Directory Server cannot end sessions: connections that are signed in already go on, " +
		"and so do the sessions of the applications behind them"}, nil
}

// Close ends the connections.
func (d *directory) Close() error {
	d.pool.Close()
	return nil
}
