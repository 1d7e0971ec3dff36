package googleworkspace

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

var (
	domainForm    = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)
	customerForm  = regexp.MustCompile(`^(my_customer|C[0-9a-z]{4,20})$`)
	attributeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$`)
)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var all []error
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	switch {
	case c.CredentialsFile == "" && c.Credentials.Empty():
		add(connectors.Mistake("credentials_file", "this is missing; name the JSON key file of resetd's service account, or give its text under credentials"))
	case c.CredentialsFile != "" && !c.Credentials.Empty():
		add(connectors.Mistake("credentials", "credentials_file is set too; keep one of the two"))
	}
	if c.Subject != "" && !strings.Contains(c.Subject, "@") {
		add(connectors.Mistake("subject", "this is no address; write the primary address of the administrator that resetd acts as, such as resetd@example.com"))
	}
	switch c.ThirdPartyIDP {
	case idpNever, idpAlways, idpDetect:
	case "":
		add(connectors.Mistake("third_party_idp", "this is missing; write never if people sign in with Google's password, always if another identity provider signs them in, "+
			"or detect if that differs; where another provider does, Google does not enforce a reset"))
	default:
		add(connectors.Mistake("third_party_idp", "this must be never, always or detect"))
	}
	if !customerForm.MatchString(c.Customer) {
		add(connectors.Mistake("customer", "this must be my_customer or the customer id that the admin console shows under Account settings, such as C01abc23d"))
	}
	for _, d := range c.Domains {
		if !domainForm.MatchString(d) {
			add(connectors.Mistake("domains", "%q is no domain in small letters; write one such as example.com", d))
		}
	}
	if c.Domain != "" && !domainForm.MatchString(c.Domain) {
		add(connectors.Mistake("domain", "%q is no domain in small letters; write one such as example.com", c.Domain))
	}
	if c.Domain != "" && len(c.Domains) > 0 && !slices.Contains(c.Domains, c.Domain) {
		add(connectors.Mistake("domain", "%s is not among domains, so no user name would be found; add it there", c.Domain))
	}
	if c.ProofAttribute != "" && !attributeForm.MatchString(c.ProofAttribute) {
		add(connectors.Mistake("proof_attribute", "this must be SCHEMA.FIELD, the names of a custom attribute, such as resetd.reset"))
	}
	add(rest.CheckURL("base_url", c.BaseURL))
	add(rest.CheckURL("cloud_identity_url", c.CloudIdentityURL))
	if c.TokenURL != "" {
		add(rest.CheckURL("token_url", c.TokenURL))
	}
	return errors.Join(all...)
}

// serviceAccount is what a key of a service account holds.
type serviceAccount struct {
	email    string
	clientID string // the numeric id, which domain-wide delegation and role assignments go by
	project  string
	keyID    string
	key      *rsa.PrivateKey
	text     schemas.Secret // the key as it stands in the document, to be kept out of texts
	tokenURL string
}

// serviceAccount reads the key. Its error never quotes the document.
func (c *Config) serviceAccount() (serviceAccount, error) {
	name, text := "credentials", []byte(c.Credentials.Reveal())
	if c.CredentialsFile != "" {
		name = "credentials_file"
		var err error
		if text, err = os.ReadFile(c.CredentialsFile); err != nil {
			return serviceAccount{}, connectors.Mistake(name, "the file cannot be read: %w", err)
		}
	}
	var doc struct {
		Type       string `json:"type"`
		Project    string `json:"project_id"`
		KeyID      string `json:"private_key_id"`
		PrivateKey string `json:"private_key"`
		Email      string `json:"client_email"`
		ClientID   string `json:"client_id"`
		TokenURL   string `json:"token_uri"`
	}
	const again = "; create a key of the type JSON for the service account in the Google Cloud console (IAM & Admin > Service Accounts > Keys), and give that document unchanged"
	if json.Unmarshal(text, &doc) != nil {
		return serviceAccount{}, connectors.Mistake(name, "this is no JSON document%s", again)
	}
	if doc.Type != "service_account" || doc.Email == "" || doc.ClientID == "" {
		return serviceAccount{}, connectors.Mistake(name, "this is no key of a service account: type, client_email or client_id is not as it must be%s", again)
	}
	key := parseKey(doc.PrivateKey)
	if key == nil {
		return serviceAccount{}, connectors.Mistake(name, "private_key is no RSA key in PEM form%s", again)
	}
	a := serviceAccount{email: doc.Email, clientID: doc.ClientID, project: doc.Project, keyID: doc.KeyID, key: key,
		text: schemas.NewSecret(doc.PrivateKey), tokenURL: doc.TokenURL}
	if c.TokenURL != "" {
		a.tokenURL = c.TokenURL
	}
	// The document comes from elsewhere, and what is sent to this address lets its owner sign in for an hour.
	if rest.CheckURL(name, a.tokenURL) != nil {
		return serviceAccount{}, connectors.Mistake(name, "token_uri is no https:// address%s", again)
	}
	return a, nil
}

// parseKey reads a private key as Google writes it (PKCS #8), or in the older form (PKCS #1); nil if it is neither.
func parseKey(text string) *rsa.PrivateKey {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if got, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		key, _ := got.(*rsa.PrivateKey)
		return key
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	return key
}
