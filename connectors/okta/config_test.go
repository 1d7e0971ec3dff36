package okta_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/okta"
	"github.com/resetd/resetd/schemas"
)

// keys gives the keys of all ConfigErrors in an error.
func keys(err error) (out []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			out = append(out, keys(one)...)
		}
		return out
	}
	if e, ok := errors.AsType[*connectors.ConfigError](err); ok {
		out = append(out, e.Key)
	}
	return out
}

func TestEveryMistakeIsNamed(t *testing.T) {
	t.Parallel()
	token := schemas.NewSecret(apiToken)
	for name, one := range map[string]struct {
		change func(*okta.Config)
		want   []string
	}{
		"nothing at all":        {func(c *okta.Config) { *c = okta.Config{} }, []string{"org_url", "api_token"}},
		"readable":              {func(c *okta.Config) { c.OrgURL = "http://example.okta.com" }, []string{"org_url"}},
		"a path":                {func(c *okta.Config) { c.OrgURL = "https://example.okta.com/api/v1" }, []string{"org_url"}},
		"the Admin Console":     {func(c *okta.Config) { c.OrgURL = "https://example-admin.okta.com" }, []string{"org_url"}},
		"both ways":             {func(c *okta.Config) { c.ClientID = "0oa1" }, []string{"api_token"}},
		"a key without its app": {func(c *okta.Config) { c.APIToken, c.PrivateKeyFile = schemas.Secret{}, "k.pem" }, []string{"client_id"}},
		"an app without a key":  {func(c *okta.Config) { c.APIToken, c.ClientID = schemas.Secret{}, "0oa1" }, []string{"private_key"}},
		"two keys": {func(c *okta.Config) {
			c.APIToken, c.ClientID, c.PrivateKey, c.PrivateKeyFile = schemas.Secret{}, "0oa1", token, "k.pem"
		}, []string{"private_key_file"}},
		"no key": {func(c *okta.Config) { c.APIToken, c.ClientID, c.PrivateKey = schemas.Secret{}, "0oa1", token }, []string{"private_key"}},
		"attributes": {func(c *okta.Config) {
			c.SourceAttribute, c.SIDAttribute, c.DownLevelAttribute = `x" or`, "a b", "profile.x"
		}, []string{"source_attribute", "sid_attribute", "down_level_attribute"}},
	} {
		c := &okta.Config{OrgURL: "https://example.okta.com/", APIToken: token}
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		one.change(c)
		err := c.Validate()
		if got := keys(err); !slices.Equal(got, one.want) {
			t.Errorf("%s: %v, want %v", name, err, one.want)
		}
		if err != nil && strings.Contains(err.Error(), apiToken) {
			t.Errorf("%s: a secret shows: %v", name, err)
		}
	}
}

func block(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestEveryFormOfAPrivateKeyIsTakenAndNothingElse(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := func(key any) string { b, err := x509.MarshalPKCS8PrivateKey(key); return block("PRIVATE KEY", b, err) }
	jwk := func(key any) string {
		b, err := jose.JSONWebKey{Key: key, KeyID: "k1"}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	public, errPublic := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	for name, one := range map[string]struct {
		text string
		good bool
	}{
		"PKCS 8, RSA": {der(rsaKey), true}, "PKCS 8, EC": {der(ecKey), true}, "PKCS 1": {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), true},
		"SEC 1": {block("EC PRIVATE KEY", sec1, err), true}, "JWK": {jwk(rsaKey), true}, "JWK, EC": {"\n" + jwk(ecKey) + "\n", true},
		"a public JWK": {jwk(&rsaKey.PublicKey), false}, "a public key": {block("PUBLIC KEY", public, errPublic), false}, "a curve that Okta does not take": {der(odd), false},
		"a pass phrase": {block("ENCRYPTED PRIVATE KEY", []byte("x"), nil), false}, "a broken PEM": {block("PRIVATE KEY", []byte("secret stuff"), nil), false},
		"a broken JWK": {`{"kty":"RSA","d":"secret stuff"}`, false}, "something else": {"secret stuff", false},
	} {
		c := &okta.Config{OrgURL: "https://example.okta.com", ClientID: "0oa1", PrivateKey: schemas.NewSecret(one.text)}
		err := c.Validate()
		if (err == nil) != one.good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "stuff") {
			t.Errorf("%s: the text shows: %v", name, err)
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(one.text), 0o600); err != nil {
			t.Fatal(err)
		}
		made, err := (&okta.Config{OrgURL: "https://example.okta.com", ClientID: "0oa1", PrivateKeyFile: file}).Open(connectors.Env{})
		if (err == nil) != one.good {
			t.Errorf("%s, in a file: %v", name, err)
		}
		if err != nil && !slices.Equal(keys(err), []string{"private_key_file"}) {
			t.Errorf("%s, in a file: %v", name, err)
		}
		if made != nil {
			_ = made.Close()
		}
	}
	_, err = (&okta.Config{OrgURL: "https://example.okta.com", ClientID: "0oa1", PrivateKeyFile: "not-there.pem"}).Open(connectors.Env{})
	if !slices.Equal(keys(err), []string{"private_key_file"}) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// The README shows two ways to sign in; the shared tests open the first.
func TestBothExamplesOfTheReadmeOpen(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	t.Chdir(t.TempDir())
	if err := errors.Join(err, os.WriteFile("okta-key.pem", []byte(block("PRIVATE KEY", der, err)), 0o600)); err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\nsystems:\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("the README shows %d systems", len(blocks))
	}
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		var list []struct {
			Name, Kind, Enforcement, Rate string
			Config                        okta.Config
		}
		if err := yaml.UnmarshalWithOptions([]byte(b), &list, yaml.Strict()); err != nil {
			t.Fatal(yaml.FormatError(err, false, true))
		}
		c := list[0].Config
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		made, err := c.Open(connectors.Env{System: list[0].Name})
		if err != nil {
			t.Fatal(err)
		}
		_ = made.Close()
	}
}
