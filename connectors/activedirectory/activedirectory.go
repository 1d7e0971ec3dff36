// Package activedirectory resets passwords in Active Directory over LDAP. The README beside it says what a reset means there,
// which rights it takes, and what it cannot do.
package activedirectory

import (
	_ "embed"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one domain. All but url, bind_user, password and base_dn may be left out:
//
//	url: ldaps://dc1.corp.example.com          # ldap:// uses StartTLS
//	# urls: [ldaps://dc1.corp.example.com, ldaps://dc2.corp.example.com]   # in place of url: a list, tried in order
//	bind_user: resetd@corp.example.com         # a user principal name, CORP\resetd or a distinguished name
//	password: ${AD_PASSWORD}
//	base_dn: DC=corp,DC=example,DC=com         # nothing outside is found or touched; an OU narrows it down
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
//	# probe_dn: CN=Canary,OU=Staff,DC=corp,DC=example,DC=com   # the account on which rights are looked at; the first that are found when left out
//	# protected_groups: [S-1-5-21-1004336348-1177238915-682003330-1180]   # counted as privileged beside the built-in groups
//	# timeout: 5s                              # of one exchange with a domain controller
//	# pool: 4                                  # connections at most
type Config struct {
	// URL or URLs are domain controllers of one domain: ldaps://HOST[:PORT], or ldap://HOST[:PORT], which begins with StartTLS.
	// There is no unencrypted connection: domain controllers take no password over one.
	URL  string   `yaml:"url"`
	URLs []string `yaml:"urls"`

	// BindUser and Password are resetd's own account, BaseDN the entry below which everything happens.
	BindUser string         `yaml:"bind_user"`
	Password schemas.Secret `yaml:"password"`
	BaseDN   string         `yaml:"base_dn"`

	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`

	ProbeDN string `yaml:"probe_dn"`
	// ProtectedGroups are the SIDs of groups whose members, direct or not, are privileged here too.
	ProtectedGroups []string `yaml:"protected_groups"`

	// Timeout bounds one exchange; a call has a few of them, and the system's own time-out bounds the call.
	Timeout time.Duration `yaml:"timeout"`
	Pool    int           `yaml:"pool"`
}

// settle is how long a change that was given up may still be under way. Changes are bound to the pwdLastSet that was read, but
// that is 0 for an account which has to change its password already, and then two attempts look the same.
const settle = 15 * time.Second

//go:embed example.yaml
var example string

// Kind is "activedirectory".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "activedirectory", Example: example, Settle: settle, New: func() connectors.Config {
		return &Config{Timeout: 5 * time.Second, Pool: 4}
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
	groups, err := c.protected()
	if err != nil {
		return nil, err
	}
	d := &directory{config: *c, env: env, base: base, groups: groups}
	dialer, err := ldapconn.NewDialer(c.connection(env.System), ldapconn.Product[root]{SignIn: d.signIn, Greet: greet, Meanings: meanings, Pick: pick})
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
	groups map[string]bool // the SIDs under protected_groups
	pool   *ldapconn.Pool[root]

	facts   facts
	compare compare
}

// Close ends the connections.
func (d *directory) Close() error {
	d.pool.Close()
	return nil
}
