package entra_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/entra"
	"github.com/resetd/resetd/schemas"
)

func TestExampleAndReadmeOpen(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```yaml\nsystems:\n")
	block, _, _ = strings.Cut(block, "```")
	var file struct {
		Systems []struct {
			Kind   string         `yaml:"kind"`
			Config map[string]any `yaml:"config"`
		} `yaml:"systems"`
	}
	if err := yaml.Unmarshal([]byte("systems:\n"+block), &file); err != nil || !found || len(file.Systems) != 1 || file.Systems[0].Kind != "entra" {
		t.Fatalf("the README shows %+v, %v", file, err)
	}
	shown, err := yaml.Marshal(file.Systems[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"example": entra.Kind().Example, "README": string(shown)} {
		c, secrets, err := entra.Kind().Open(connectors.Env{System: "example"}, func(into any) error {
			return yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict())
		})
		if err != nil || len(secrets) != 1 {
			t.Fatalf("the %s does not open: %v, %d secrets", what, err, len(secrets))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMistakesInTheSettingsNameTheirKey(t *testing.T) {
	good := func() *entra.Config {
		c := entra.Kind().New().(*entra.Config)
		c.TenantID, c.ClientID, c.ClientSecret = tenantID, appFull, schemas.NewSecret(secretText)
		return c
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("-----BEGIN PRIVATE KEY-----\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		change func(*entra.Config)
		key    string
	}{
		"no tenant":               {func(c *entra.Config) { c.TenantID = "" }, "tenant_id"},
		"every tenant":            {func(c *entra.Config) { c.TenantID = "common" }, "tenant_id"},
		"a path as tenant":        {func(c *entra.Config) { c.TenantID = "a.b/c" }, "tenant_id"},
		"no application":          {func(c *entra.Config) { c.ClientID = "" }, "client_id"},
		"a name as application":   {func(c *entra.Config) { c.ClientID = "resetd" }, "client_id"},
		"no credential":           {func(c *entra.Config) { c.ClientSecret = schemas.Secret{} }, "client_secret"},
		"two credentials":         {func(c *entra.Config) { c.ManagedIdentity = true }, "managed_identity"},
		"another cloud":           {func(c *entra.Config) { c.Cloud = "germany" }, "cloud"},
		"Graph without TLS":       {func(c *entra.Config) { c.BaseURL = "http://graph.example.com/v1.0" }, "base_url"},
		"authority without TLS":   {func(c *entra.Config) { c.AuthorityURL = "http://127.0.0.1" }, "authority_url"},
		"authority with a user":   {func(c *entra.Config) { c.AuthorityURL = "https://u:p@login.example.com" }, "authority_url"},
		"no such CA":              {func(c *entra.Config) { c.TLSCA = "missing.pem" }, "tls_ca"},
		"no such certificate":     {func(c *entra.Config) { c.ClientSecret, c.Certificate = schemas.Secret{}, "missing.pem" }, "certificate"},
		"certificate without one": {func(c *entra.Config) { c.ClientSecret, c.Certificate = schemas.Secret{}, garbage }, "certificate"},
	} {
		c := good()
		one.change(c)
		err := c.Validate()
		if err == nil {
			_, err = c.Open(connectors.Env{System: "corp-entra"})
		}
		mistake, ok := errors.AsType[*connectors.ConfigError](err)
		if !ok || mistake.Key != one.key {
			t.Errorf("%s: %v, want a mistake in %s", name, err, one.key)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	err := (&entra.Config{}).Validate()
	for _, key := range []string{"tenant_id", "client_id", "client_secret", "cloud"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not told: %v", key, err)
		}
	}
}

func TestEveryCloudOpens(t *testing.T) {
	for _, cloud := range []string{"global", "usgov", "usdod", "china"} {
		c := entra.Kind().New().(*entra.Config)
		c.TenantID, c.ClientID, c.ClientSecret, c.Cloud = "contoso.onmicrosoft.com", appFull, schemas.NewSecret(secretText), cloud
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		got, err := c.Open(connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Close()
	}
}
