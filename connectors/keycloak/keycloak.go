// Package keycloak resets passwords in a realm of Keycloak, by its admin REST API. The README beside it says what a reset
// means there, which rights it takes, and what it cannot do.
package keycloak

import (
	_ "embed"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one realm. All but base_url, realm, client_id and client_secret may be left out:
//
//	base_url: https://login.example.com        # with the path, if Keycloak has one: https://login.example.com/auth
//	realm: corp                                # whose accounts are reset
//	client_id: resetd
//	client_secret: ${KEYCLOAK_SECRET}
//	# admin_realm: corp                        # where the client is; the realm itself when left out
//	# revoke_offline: true                     # end offline sessions too; takes the consent to these applications with it
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
type Config struct {
	// BaseURL is what stands before /realms/ and /admin/.
	BaseURL string `yaml:"base_url"`
	// Realm is whose accounts are reset, AdminRealm where the client is that resetd signs in as.
	Realm      string `yaml:"realm"`
	AdminRealm string `yaml:"admin_realm"`

	ClientID     string         `yaml:"client_id"`
	ClientSecret schemas.Secret `yaml:"client_secret"`

	// RevokeOffline lets Revoke end offline sessions, which a log-out leaves in place.
	RevokeOffline bool `yaml:"revoke_offline"`
	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`
}

//go:embed example.yaml
var example string

// settle is how long a change that was given up may still be on its way. Keycloak knows no conditions by which a change
// could be bound to what was read.
const settle = 15 * time.Second

// Kind is "keycloak".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "keycloak", Example: example, Settle: settle, New: func() connectors.Config {
		return &Config{RevokeOffline: true}
	}}
}

// Secrets lists the client's secret.
func (c *Config) Secrets() []schemas.Secret { return []schemas.Secret{c.ClientSecret} }

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	all := []error{rest.CheckURL("base_url", c.BaseURL)}
	for _, one := range []struct{ key, value, what string }{
		{"realm", c.Realm, "the name of the realm as it stands in its addresses: /realms/NAME"},
		{"client_id", c.ClientID, "the Client ID that Keycloak's console shows"},
	} {
		if one.value == "" {
			all = append(all, connectors.Mistake(one.key, "this is missing; write %s", one.what))
		}
	}
	for _, one := range [][2]string{{"realm", c.Realm}, {"admin_realm", c.AdminRealm}} {
		if strings.ContainsAny(one[1], "/?#%\\;") || one[1] == "." || one[1] == ".." {
			all = append(all, connectors.Mistake(one[0], "this is no name of a realm; write it as it stands in its addresses: /realms/NAME"))
		}
	}
	if c.ClientSecret.Empty() {
		all = append(all, connectors.Mistake("client_secret", "this is missing; Keycloak's console shows it under Clients, the client, Credentials"))
	}
	if strings.HasSuffix(strings.TrimRight(c.BaseURL, "/"), "/admin") || strings.Contains(c.BaseURL, "/realms/") {
		all = append(all, connectors.Mistake("base_url", "this goes too far; end it before /realms/ or /admin"))
	}
	return errors.Join(all...)
}

// Open makes the connector. It reads the CA file and connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	r := &realm{config: *c, env: env, path: "/admin/realms/" + url.PathEscape(c.Realm)}
	if r.config.AdminRealm == "" {
		r.config.AdminRealm = c.Realm
	}
	options := rest.Options{Base: c.BaseURL, System: env.System, Product: "Keycloak", TLSCA: c.TLSCA, Explain: r.explainSignIn}
	door, err := rest.New(options)
	if err != nil {
		return nil, err
	}
	options.Explain, options.Tokens = r.explain, rest.NewTokens(0, r.signIn)
	api, err := rest.New(options)
	if err != nil {
		return nil, err
	}
	r.door, r.api = door, api
	return r, nil
}
