// Package okta resets passwords in an Okta org through Okta's Management API. The README beside it says what a reset means
// there, which rights it takes, and what it cannot do.
package okta

import (
	_ "embed"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one org. It takes org_url and either api_token or client_id with a private key:
//
//	org_url: https://example.okta.com          # the org's own address, not the one with -admin
//	api_token: ${OKTA_API_TOKEN}               # or, in its place, a service app:
//	# client_id: 0oa1example2app3id4h7         # shown on the app's page
//	# private_key_file: okta-key.pem           # PEM or one JWK
//	# private_key: ${OKTA_PRIVATE_KEY}         # in place of the file: its text as a secret
//	# key_id: 5eSX1example-key-id              # the key's kid on the app's page; a JWK brings its own
//	# check_roles: true                        # read whether an account administers Okta; takes okta.roles.read
//	# revoke_oauth_tokens: true                # end OAuth and OpenID Connect tokens together with the sessions
//	# forget_devices: false                    # make the account's devices unknown too
//	# source_attribute: objectGuid             # profile attribute that names a synced account in its directory; the login when left out
//	# sid_attribute: objectSid                 # profile attribute that SIDs are looked up by; left out: they are not found
//	# down_level_attribute: downLevelName      # profile attribute that DOMAIN\name is looked up by; left out: it is not found
//	# tls_ca: ca.pem                           # PEM, for a proxy that opens TLS; the machine's own authorities when left out
type Config struct {
	OrgURL string `yaml:"org_url"`

	// APIToken is an SSWS token, which may do what its owner may.
	APIToken schemas.Secret `yaml:"api_token"`

	// ClientID is a service app's, and its key either a text or a file: PEM (PKCS #1, PKCS #8 or SEC 1) or one JWK. KeyID is
	// the key's kid at Okta; a JWK brings its own.
	ClientID       string         `yaml:"client_id"`
	PrivateKey     schemas.Secret `yaml:"private_key"`
	PrivateKeyFile string         `yaml:"private_key_file" path:"file"`
	KeyID          string         `yaml:"key_id"`

	// CheckRoles off leaves Class.Privileged false, for whoever cannot grant the right to read roles.
	CheckRoles        bool `yaml:"check_roles"`
	RevokeOAuthTokens bool `yaml:"revoke_oauth_tokens"`
	ForgetDevices     bool `yaml:"forget_devices"`

	// SourceAttribute is the profile attribute that names a synced account in its directory, by an objectGUID in text form, a
	// SID or a DOMAIN\name; without it the login names it. SIDAttribute and DownLevelAttribute are what accounts of these
	// types are looked up by; without them such accounts are not found.
	SourceAttribute    string `yaml:"source_attribute"`
	SIDAttribute       string `yaml:"sid_attribute"`
	DownLevelAttribute string `yaml:"down_level_attribute"`

	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`
}

//go:embed example.yaml
var example string

// settle is how long a call that was given up is left alone before it is verified: Okta has no conditional requests for what
// happens to passwords, and does not say how long a request may take. It answers in less than a second as a rule.
const settle = 15 * time.Second

// Kind is "okta".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "okta", Example: example, Settle: settle, New: func() connectors.Config {
		return &Config{CheckRoles: true, RevokeOAuthTokens: true}
	}}
}

// Secrets lists the API token or the private key, as far as they stand in the settings.
func (c *Config) Secrets() (out []schemas.Secret) {
	for _, s := range []schemas.Secret{c.APIToken, c.PrivateKey} {
		if !s.Empty() {
			out = append(out, s)
		}
	}
	return out
}

// Open makes the connector. It reads the key file and the CA file and connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	o := &org{config: *c, env: env}
	options := rest.Options{Base: c.OrgURL, System: env.System, Product: "Okta", TLSCA: c.TLSCA, Explain: o.explain, Watch: o.watch}
	if c.ClientID == "" {
		options.Tokens, options.Scheme = rest.Fixed(c.APIToken), "SSWS"
	} else {
		key, err := c.key()
		if err != nil {
			return nil, err
		}
		o.app = &app{org: o, key: key, proof: &dpop{}}
		options.Tokens = rest.NewTokens(0, o.app.token)
	}
	client, err := rest.New(options)
	if err != nil {
		return nil, err
	}
	o.client = client
	if o.app != nil {
		options.Tokens, options.MaxConns = nil, 2
		options.Explain = o.app.explain
		if o.app.client, err = rest.New(options); err != nil {
			return nil, err
		}
		o.app.proof.guard(client.HTTP())
		o.app.proof.guard(o.app.client.HTTP())
	}
	return o, nil
}
