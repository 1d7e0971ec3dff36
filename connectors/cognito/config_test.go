package cognito_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/cognito"
	"github.com/resetd/resetd/schemas"
)

// decode reads settings strictly, as the configuration does.
func decode(text string) func(any) error {
	return func(into any) error { return yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict()) }
}

func TestExampleOpensAndGivesItsSecrets(t *testing.T) {
	pem, err := os.ReadFile(filepath.Join("..", "builtin", "testdata", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("ca.pem", pem, 0o600); err != nil {
		t.Fatal(err)
	}
	c, secrets, err := cognito.Kind().Open(connectors.Env{System: "customers"}, decode(cognito.Kind().Example))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if len(secrets) != 1 || secrets[0].Empty() {
		t.Errorf("%d secrets", len(secrets))
	}
}

func TestEveryMistakeIsNamedByItsKey(t *testing.T) {
	good := "user_pool_id: eu-central-1_AbCdEf123\n"
	for text, key := range map[string]string{
		"{}":                                            "user_pool_id",
		"user_pool_id: pool\n":                          "user_pool_id",
		good + "region: us-east-1\n":                    "region",
		good + "account_id: \"12\"\n":                   "account_id",
		good + "access_key_id: AKIA1234\n":              "secret_access_key",
		good + "privileged_groups: [\"a b\"]\n":         "privileged_groups",
		good + "endpoint: http://cognito.example.com\n": "endpoint",
		good + "tls_ca: not-there.pem\n":                "tls_ca",
	} {
		_, _, err := cognito.Kind().Open(connectors.Env{}, decode(text))
		var mistake *connectors.ConfigError
		if !errors.As(err, &mistake) || mistake.Key != key || strings.TrimSpace(mistake.Text) == "" {
			t.Errorf("%q: %v, want a mistake of %s", text, err, key)
		}
	}
	for _, text := range []string{good, good + "region: eu-central-1\n"} {
		if _, _, err := cognito.Kind().Open(connectors.Env{}, decode(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestProbeWarnsOfCredentialsThatMayDoTooMuch(t *testing.T) {
	w := newWorld(t)
	c := w.settings(w.Front(t).URL)
	got, err := open(t, c).Probe(t.Context())
	if err != nil || len(got.Warn) > 0 || !strings.Contains(got.Product, "people") || got.Clock.IsZero() {
		t.Errorf("the README's policy, and yet %+v, %v", got, err)
	}
	c.AccessKeyID, c.SecretAccessKey = w.Admin.ID, schemas.NewSecret(w.Admin.Secret)
	if got, err := open(t, c).Probe(t.Context()); err != nil || len(got.Warn) != 1 || !strings.Contains(got.Warn[0], "AdminUpdateUserAttributes") {
		t.Errorf("an administrator: %+v, %v", got, err)
	}
}

func TestPoolThatIsNotThereIsNoMissingAccount(t *testing.T) {
	w := newWorld(t)
	c := w.settings(w.Front(t).URL)
	c.UserPoolID = "us-east-1_Nowhere"
	_, err := open(t, c).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
	if detail := wantCode(t, err, schemas.CodeUnexpected); !strings.Contains(detail, "user_pool_id") {
		t.Errorf("the words do not say what to correct: %s", detail)
	}
}
