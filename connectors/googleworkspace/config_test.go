package googleworkspace_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

func TestEveryMistakeIsNamedWithItsKey(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*googleworkspace.Config){
		"credentials_file":   func(c *googleworkspace.Config) { c.Credentials = schemas.Secret{} },
		"credentials":        func(c *googleworkspace.Config) { c.CredentialsFile = "key.json" },
		"subject":            as("resetd"),
		"third_party_idp":    func(c *googleworkspace.Config) { c.ThirdPartyIDP = "" },
		"customer":           func(c *googleworkspace.Config) { c.Customer = "example.com" },
		"domains":            func(c *googleworkspace.Config) { c.Domains = []string{"example.com", "@example.org"} },
		"domain":             func(c *googleworkspace.Config) { c.Domain, c.Domains = "example.com", []string{"example.org"} },
		"proof_attribute":    func(c *googleworkspace.Config) { c.ProofAttribute = "resetd" },
		"base_url":           func(c *googleworkspace.Config) { c.BaseURL = "http://admin.example.com" },
		"cloud_identity_url": func(c *googleworkspace.Config) { c.CloudIdentityURL = "" },
		"token_url":          func(c *googleworkspace.Config) { c.TokenURL = "ftp://x" },
	} {
		err := configOf("https://google.example", change).Validate()
		if m, ok := errors.AsType[*connectors.ConfigError](err); !ok || m.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
	bad := &googleworkspace.Config{ThirdPartyIDP: "sometimes", Subject: "x", Customer: "x", Domain: "x"}
	for _, key := range []string{"credentials_file", "subject", "third_party_idp", "customer", "domain", "base_url"} {
		wantWords(t, bad.Validate().Error(), key+":")
	}
	if err := configOf("https://google.example", marked, detecting).Validate(); err != nil {
		t.Error(err)
	}
}

func TestKeyThatIsNoneIsRefusedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	good := document(keys().good, "https://oauth2.googleapis.com/token")
	for name, text := range map[string]string{
		"no JSON":          "sEcReT" + good,
		"cut off":          good[:len(good)/2],
		"another type":     strings.Replace(good, "service_account", "authorized_user", 1),
		"no RSA key":       strings.Replace(good, "BEGIN PRIVATE KEY", "BEGIN SOMETHING", 1),
		"readable on wire": document(keys().good, "http://oauth2.example.com/token"),
	} {
		c := configOf("https://google.example", func(c *googleworkspace.Config) { c.Credentials = schemas.NewSecret(text) })
		_, err := c.Open(connectors.Env{System: "corp-google"})
		m, ok := errors.AsType[*connectors.ConfigError](err)
		if !ok || m.Key != "credentials" || strings.Contains(err.Error(), "sEcReT") || strings.Contains(err.Error(), "MII") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := configOf("https://google.example", func(c *googleworkspace.Config) {
		c.Credentials, c.CredentialsFile = schemas.Secret{}, filepath.Join(t.TempDir(), "none.json")
	})
	if _, err := c.Open(connectors.Env{}); err == nil || !strings.HasPrefix(err.Error(), "credentials_file: ") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestExampleOpensAndItsPrivateKeyIsASecret(t *testing.T) {
	t.Chdir(t.TempDir())
	s := pemOfCertificate(t)
	for name, text := range map[string]string{"ca.pem": s, "service-account.json": document(keys().good, "https://oauth2.googleapis.com/token")} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := googleworkspace.Kind()
	c, secrets, err := k.Open(connectors.Env{System: "example"}, func(into any) error {
		return yaml.UnmarshalWithOptions([]byte(k.Example), into, yaml.Strict())
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if len(secrets) != 1 || secrets[0].Reveal() != pemOf(keys().good) {
		t.Errorf("%d secrets, want the private key", len(secrets))
	}
	if k.Settle < 10*time.Second {
		t.Errorf("a change without an answer is waited for %s only, and Google knows no conditions", k.Settle)
	}
}
