package awsiam_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/awsiam"
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
	c, secrets, err := awsiam.Kind().Open(connectors.Env{System: "aws"}, decode(awsiam.Kind().Example))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if len(secrets) != 1 || secrets[0].Empty() {
		t.Errorf("%d secrets", len(secrets))
	}
}

func TestEveryMistakeIsNamedByItsKey(t *testing.T) {
	good := "account_id: \"123456789012\"\n"
	for text, key := range map[string]string{
		"{}":                               "account_id",
		"account_id: \"12\"\n":             "account_id",
		good + "region: Frankfurt\n":       "region",
		good + "access_key_id: AKIA1234\n": "secret_access_key",
		good + "secret_access_key: x\n":    "access_key_id",
		good + "access_key_id: \"a b\"\nsecret_access_key: x\n": "access_key_id",
		good + "role_arn: resetd\n":                             "role_arn",
		good + "external_id: x\n":                               "external_id",
		good + "web_identity_token_file: x\n":                   "role_arn",
		good + "endpoint: http://iam.example.com\n":             "endpoint",
		good + "endpoint: https://iam.example.com/path\n":       "endpoint",
		good + "path_prefixes: [people]\n":                      "path_prefixes",
		good + "path_prefixes: [/people]\n":                     "path_prefixes",
		good + "email_tag: \"a;b\"\n":                           "email_tag",
		good + "email_tag: resetd-password-reset\n":             "email_tag",
		good + "tls_ca: not-there.pem\n":                        "tls_ca",
	} {
		_, _, err := awsiam.Kind().Open(connectors.Env{}, decode(text))
		var mistake *connectors.ConfigError
		if !errors.As(err, &mistake) || mistake.Key != key || strings.TrimSpace(mistake.Text) == "" {
			t.Errorf("%q: %v, want a mistake of %s", text, err, key)
		}
	}
	if _, _, err := awsiam.Kind().Open(connectors.Env{}, decode(good)); err != nil {
		t.Errorf("the account alone is enough, since credentials may come from the environment: %v", err)
	}
}
