// Package googleworkspace resets passwords in Google Workspace and Cloud Identity through the Directory API of the Admin
// SDK. The README beside it says what a reset means there, which rights it takes, and what it cannot do.
package googleworkspace

import (
	_ "embed"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Google's own addresses. Those of the settings take their place in tests and behind gateways.
const (
	directoryURL     = "https://admin.googleapis.com"
	cloudIdentityURL = "https://cloudidentity.googleapis.com"
	product          = "Google Workspace"
)

// What third_party_idp may say.
const (
	idpNever  = "never"
	idpAlways = "always"
	idpDetect = "detect"
)

// Config is the settings of one customer. All but the credentials and third_party_idp may be left out:
//
//	credentials_file: service-account.json     # the service account's key
//	# credentials: ${GOOGLE_CREDENTIALS}       # in place of the file: its text as a secret
//	third_party_idp: never                     # who signs people in: never = Google, always = another provider, detect = ask Cloud Identity
//	# subject: resetd@example.com              # the administrator resetd acts as (domain-wide delegation); left out: the service account's own role
//	# domains: [example.com, example.org]      # recommended: nobody outside these is found or touched
//	# domain: example.com                      # what a bare user name is completed with; left out: user names are not found
//	# customer: my_customer                    # or the id that the admin console shows, C0…
//	# revoke_tokens: true                      # Revoke also takes back what the user has allowed to applications (OAuth)
//	# revoke_app_passwords: true               # and app passwords
//	# revoke_backup_codes: false               # and backup codes of 2-step verification
//	# proof_attribute: resetd.reset            # recommended: a custom attribute by which a reset without an answer is told; see the README
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
//	# base_url: https://admin.googleapis.com   # the Directory API's address
//	# cloud_identity_url: https://cloudidentity.googleapis.com   # Cloud Identity's address, for detect
//	# token_url: https://oauth2.googleapis.com/token   # the token server's address; that in the key when left out
type Config struct {
	// CredentialsFile or Credentials is the service account's key as Google gives it out, a JSON document.
	CredentialsFile string         `yaml:"credentials_file" path:"file"`
	Credentials     schemas.Secret `yaml:"credentials"`
	Subject         string         `yaml:"subject"`

	// ThirdPartyIDP has no default: nothing in the Directory API tells, and a wrong guess makes a false success.
	ThirdPartyIDP string `yaml:"third_party_idp"`

	Customer string `yaml:"customer"`
	// Domains bounds both the addresses that are looked up and the primary addresses of what is found.
	Domains []string `yaml:"domains"`
	Domain  string   `yaml:"domain"`

	RevokeTokens       bool `yaml:"revoke_tokens"`
	RevokeAppPasswords bool `yaml:"revoke_app_passwords"`
	RevokeBackupCodes  bool `yaml:"revoke_backup_codes"`

	// ProofAttribute is SCHEMA.FIELD of a custom attribute of the type text with one value.
	ProofAttribute string `yaml:"proof_attribute"`

	// BaseURL, CloudIdentityURL and TokenURL take the place of Google's addresses.
	BaseURL          string `yaml:"base_url"`
	CloudIdentityURL string `yaml:"cloud_identity_url"`
	TokenURL         string `yaml:"token_url"`
	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`

	key schemas.Secret // the private key, once Open has read it
}

//go:embed example.yaml
var example string

// settle is how long a change without an answer may still be under way: Google documents no condition on writes of the
// Directory API, so nothing binds one to the state that was read.
const settle = 15 * time.Second

// Kind is "googleworkspace".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "googleworkspace", Example: example, Settle: settle, New: func() connectors.Config {
		return &Config{Customer: "my_customer", RevokeTokens: true, RevokeAppPasswords: true, BaseURL: directoryURL, CloudIdentityURL: cloudIdentityURL}
	}}
}

// Secrets lists the credentials, and after Open the private key in them.
func (c *Config) Secrets() []schemas.Secret {
	var all []schemas.Secret
	for _, s := range []schemas.Secret{c.Credentials, c.key} {
		if !s.Empty() {
			all = append(all, s)
		}
	}
	return all
}

// workspace is the connector.
type workspace struct {
	config  Config
	env     connectors.Env
	account serviceAccount
	api     *rest.Client // the Directory API
	idps    *idps
	memory  *memory
}

// Open makes the connector. It reads the key and the CA file and connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	account, err := c.serviceAccount()
	if err != nil {
		return nil, err
	}
	c.key = account.text
	w := &workspace{config: *c, env: env, account: account, memory: newMemory(time.Now)}
	tokens, err := w.tokens()
	if err != nil {
		return nil, err
	}
	w.api, err = rest.New(rest.Options{Base: c.BaseURL, System: env.System, Product: product, Tokens: tokens, TLSCA: c.TLSCA, Explain: w.explain})
	if err != nil {
		return nil, err
	}
	identity, err := rest.New(rest.Options{Base: c.CloudIdentityURL, System: env.System, Product: "Cloud Identity", Tokens: tokens, TLSCA: c.TLSCA, Explain: w.explain})
	if err != nil {
		return nil, err
	}
	w.idps = &idps{workspace: w, api: identity}
	return w, nil
}

// Close lets go of connections.
func (w *workspace) Close() error {
	_ = w.idps.api.Close()
	return w.api.Close()
}
