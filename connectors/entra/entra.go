// Package entra resets passwords in Microsoft Entra ID over Microsoft Graph v1.0. The README beside it says what a reset
// means there, which rights it takes, and what it cannot do.
package entra

import (
	_ "embed"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one tenant. tenant_id, client_id and one kind of credential must be there:
//
//	tenant_id: 00000000-1111-4222-8333-444444444444   # or one of the tenant's domains
//	client_id: 55555555-6666-4777-8888-999999999999   # of the app registration
//	client_secret: ${ENTRA_CLIENT_SECRET}      # or, in its place, one of these three:
//	# certificate: resetd.pem                  # PEM: certificate and RSA key
//	# federated_token_file: token              # workload identity; read anew for every token
//	# managed_identity: true                   # client_id then only for a user-assigned one
//	# cloud: global                            # global, usgov, usdod or china
//	# mfa_first: false                         # true: the user must prove a second factor before the change
//	# check_roles: true                        # false: act also where it cannot be read who is an administrator
//	# tls_ca: ca.pem                           # PEM, for a proxy that opens TLS; the machine's own authorities when left out
//	# base_url: https://graph.microsoft.com/v1.0             # Graph's address, with the version; that of the cloud when left out
//	# authority_url: https://login.microsoftonline.com       # the token server's address; that of the cloud when left out
type Config struct {
	TenantID string `yaml:"tenant_id"`
	ClientID string `yaml:"client_id"`

	// One of these four. Certificate is a PEM file with certificate and unencrypted key; the token file is read anew for
	// every token; a managed identity needs ClientID only when it is a user-assigned one.
	ClientSecret       schemas.Secret `yaml:"client_secret"`
	Certificate        string         `yaml:"certificate" path:"file"`
	FederatedTokenFile string         `yaml:"federated_token_file" path:"file"`
	ManagedIdentity    bool           `yaml:"managed_identity"`

	// Cloud settles both addresses, which BaseURL (Graph with its version) and AuthorityURL override.
	Cloud        string `yaml:"cloud"`
	BaseURL      string `yaml:"base_url"`
	AuthorityURL string `yaml:"authority_url"`
	// TLSCA takes the place of the machine's own authorities, for Graph and for the token server.
	TLSCA string `yaml:"tls_ca" path:"file"`

	MFAFirst bool `yaml:"mfa_first"`

	// CheckRoles off lets accounts be reset of which it cannot be read whether they are administrators.
	CheckRoles bool `yaml:"check_roles"`
}

//go:embed example.yaml
var example string

// Kind is "entra".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "entra", Example: example, Settle: 15 * time.Second, New: func() connectors.Config {
		return &Config{Cloud: "global", CheckRoles: true}
	}}
}

// Secrets lists the client secret, if there is one.
func (c *Config) Secrets() []schemas.Secret {
	if c.ClientSecret.Empty() {
		return nil
	}
	return []schemas.Secret{c.ClientSecret}
}

// Open makes the connector. It reads the CA file and the certificate, and connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	graph, authority := c.addresses()
	t := &tenant{config: *c, env: env}
	var err error
	if t.signIn, err = c.signIn(authority, env.System); err != nil {
		return nil, err
	}
	t.rest, err = rest.New(rest.Options{Base: graph, System: env.System, Product: "Microsoft Graph", TLSCA: c.TLSCA,
		Explain: t.explain, Watch: t.watch})
	if err != nil {
		return nil, err
	}
	t.signIn.http = t.rest.HTTP()
	t.rest.Tokens = rest.NewTokens(0, t.signIn.fetch)
	return t, nil
}
