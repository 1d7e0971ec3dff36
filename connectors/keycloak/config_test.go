package keycloak_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/keycloak"
	"github.com/resetd/resetd/schemas"
)

func TestEveryMistakeInTheSettingsIsNamed(t *testing.T) {
	good := func() *keycloak.Config {
		c := keycloak.Kind().New().(*keycloak.Config)
		c.BaseURL, c.Realm, c.ClientID, c.ClientSecret = "https://login.example.com/auth", "corp", "resetd", schemas.NewSecret("s")
		return c
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		change func(*keycloak.Config)
		keys   []string
	}{
		"nothing at all":         {func(c *keycloak.Config) { *c = keycloak.Config{} }, []string{"base_url", "client_id", "client_secret", "realm"}},
		"unencrypted":            {func(c *keycloak.Config) { c.BaseURL = "http://login.example.com" }, []string{"base_url"}},
		"an address too far":     {func(c *keycloak.Config) { c.BaseURL = "https://login.example.com/realms/corp" }, []string{"base_url"}},
		"the console's address":  {func(c *keycloak.Config) { c.BaseURL = "https://login.example.com/admin/" }, []string{"base_url"}},
		"a realm with a slash":   {func(c *keycloak.Config) { c.Realm = "corp/users" }, []string{"realm"}},
		"a realm that goes up":   {func(c *keycloak.Config) { c.AdminRealm = ".." }, []string{"admin_realm"}},
		"a secret that is empty": {func(c *keycloak.Config) { c.ClientSecret = schemas.NewSecret("") }, []string{"client_secret"}},
	} {
		c := good()
		one.change(c)
		var keys []string
		if all, ok := c.Validate().(interface{ Unwrap() []error }); ok {
			for _, err := range all.Unwrap() {
				mistake, ok := errors.AsType[*connectors.ConfigError](err)
				if !ok {
					t.Fatalf("%s: %T", name, err)
				}
				keys = append(keys, mistake.Key)
			}
		}
		slices.Sort(keys)
		if !slices.Equal(keys, one.keys) {
			t.Errorf("%s: mistakes in %v, want %v", name, keys, one.keys)
		}
	}
	c := good()
	c.TLSCA = filepath.Join(t.TempDir(), "none.pem")
	_, err := c.Open(connectors.Env{})
	if mistake, ok := errors.AsType[*connectors.ConfigError](err); !ok || mistake.Key != "tls_ca" {
		t.Errorf("a CA file that is not there: %v", err)
	}
}

func TestTheConnectionIsVerifiedAndItsProtectionTold(t *testing.T) {
	s := newSite(t)
	p := &proxy{}
	server := httptest.NewTLSServer(p.handler(t, s.Server))
	t.Cleanup(server.Close)
	config := s.at(server.URL)
	_, err := open(t, config).Probe(t.Context())
	wantCode(t, err, schemas.CodeUnavailable)
	config.TLSCA = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(config.TLSCA, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got := probe(t, open(t, config))
	if got.TLS == nil || !got.TLS.Until.Equal(server.Certificate().NotAfter) || !strings.HasPrefix(got.TLS.Version, "TLS 1.") {
		t.Errorf("%+v", got.TLS)
	}
}

// Whatever stands between may repeat what it was sent.
func TestAnAnswerThatEchoesThePasswordIsNotQuoted(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	for status, body := range map[int]string{
		400: `{"error":"invalidPasswordRegexPatternMessage","error_description":"Invalid password: %[1]s 7"}`, 403: `{"error":"%[1]s"}`,
		404: `{"error":"%[1]s"}`, 409: `{"errorMessage":"%[1]s"}`, 422: `%[1]s`, 500: `<html>%[1]s</html>`, 503: `%[1]s`,
	} {
		through := newProxy(t, s.Server)
		through.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !isChange(r) {
				return false
			}
			made := through.seen()
			w.WriteHeader(status)
			_, _ = io.WriteString(w, fmt.Sprintf(body, made[len(made)-1]))
			return true
		}
		got, err := open(t, s.at(through.URL)).Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
		if err == nil {
			t.Errorf("HTTP %d: no error", status)
		}
		said := fmt.Sprintf("%+v %+v %#v %v", got, err, err, errors.Unwrap(err))
		for _, password := range through.seen() {
			if strings.Contains(said, password) {
				t.Errorf("HTTP %d: the password shows", status)
			}
		}
		if strings.Contains(said, s.secret) {
			t.Errorf("HTTP %d: the client's secret shows", status)
		}
	}
}

// A gateway in front of Keycloak has answers of its own.
func TestAnAnswerOfAGatewayIsNotTakenForOneOfKeycloak(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	for status, want := range map[int]schemas.Code{404: schemas.CodeUnexpected, 302: schemas.CodeUnexpected, 502: schemas.CodeUnavailable} {
		through := newProxy(t, s.Server)
		through.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/admin/") {
				return false
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>no such page</html>")
			return true
		}
		c := open(t, s.at(through.URL))
		_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountObjectID, Value: p.ID})
		wantCode(t, err, want)
		_, err = c.Resolve(t.Context(), p.Account)
		wantCode(t, err, want)
		_, err = c.Probe(t.Context())
		wantCode(t, err, want)
	}
}
