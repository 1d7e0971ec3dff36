package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

func TestASecretIsAReferenceAndNothingElse(t *testing.T) {
	const at = "3:20 api.tokens[0].token: "
	for value, want := range map[string]string{
		`plain-secret-plain-secret`:    "must not stand in this file; write ${OPS_TOKEN} or file:PATH",
		`"${OPS_TOKEN}x"`:              "must not stand in this file",
		`"$${OPS_TOKEN}"`:              "must not stand in this file",
		`"${NOT_SET}"`:                 "variable NOT_SET is not set",
		`"${EMPTY}"`:                   "variable EMPTY is empty",
		`"${}"`:                        "must not stand in this file",
		`""`:                           "this secret is empty; write ${OPS_TOKEN} or file:PATH",
		`"file:missing.key"`:           "missing.key; make it",
		`"file:"`:                      "names no file",
		`"file:."`:                     "is a folder",
		`123456`:                       "must be ${OPS_TOKEN} or file:PATH",
		`{a: b}`:                       "must be ${OPS_TOKEN} or file:PATH",
		`["${OPS_TOKEN}"]`:             "must be ${OPS_TOKEN} or file:PATH",
		"|\n        text\n":            "must be ${OPS_TOKEN} or file:PATH",
		`"${LEVEL}" # shorter than 24`: "24 to 512 letters",
	} {
		_, err := load(t, "api:\n  tokens:\n    - {role: admin, token: "+value+", name: ops}\n", testEnv())
		if strings.Contains(value, "\n") || strings.Contains(value, "#") { // these do not fit into a flow mapping
			_, err = load(t, "api:\n  tokens:\n    - role: admin\n      name: ops\n      token: "+value+"\n", testEnv())
		}
		var fs config.Faults
		if !errors.As(err, &fs) || len(fs) != 1 || fs[0].Path != "api.tokens[0].token" || !strings.Contains(fs[0].Text, want) {
			t.Errorf("%s: got %v, want %s%s", value, err, at, want)
		}
	}
}

func TestASecretFileIsRelativeToTheConfigurationAndLosesItsLineBreaks(t *testing.T) {
	const text = "api:\n  tokens:\n    - name: ops\n      role: admin\n      token: file:keys/ops.token\n"
	for content, want := range map[string]string{
		"token-token-token-token-1":           "token-token-token-token-1",
		"token-token-token-token-2\n":         "token-token-token-token-2",
		"token-token-token-token-3\r\n\r\n\n": "token-token-token-token-3",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "resetd.yaml"), text, 0o644)
		write(t, filepath.Join(dir, "keys", "ops.token"), content, 0o600)
		c, err := config.Load(filepath.Join(dir, "resetd.yaml"), known(), testEnv().lookup)
		if err != nil || c.API.Tokens[0].Token.Reveal() != want || len(c.Warnings()) != 0 {
			t.Errorf("%q: %v, %v", content, c, err)
		}
	}
	for content, want := range map[string]string{"\n": "is empty", strings.Repeat("x", 70<<10): "cannot be a secret"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "resetd.yaml"), text, 0o644)
		write(t, filepath.Join(dir, "keys", "ops.token"), content, 0o600)
		_, err := config.Load(filepath.Join(dir, "resetd.yaml"), known(), testEnv().lookup)
		wantFaults(t, err, "5:14 api.tokens[0].token: "+want)
	}
}

func TestASecretFileThatOthersCanReadIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "resetd.yaml"), "api: {tokens: [{name: ops, role: admin, token: 'file:ops.token'}]}\n", 0o644)
	write(t, filepath.Join(dir, "ops.token"), "token-token-token-token-1\n", 0o644)
	c, err := config.Load(filepath.Join(dir, "resetd.yaml"), known(), testEnv().lookup)
	if err != nil {
		t.Fatal(err)
	}
	w := c.Warnings()
	if len(w) != 1 || w[0].Line != 1 || w[0].Path != "api.tokens[0].token" || !strings.Contains(w[0].Text, "chmod 600") {
		t.Fatalf("got %v", w)
	}
}

func TestVariablesFitIntoPlainTextToo(t *testing.T) {
	c := mustLoad(t, "public_url: https://${HOST}:8443/$${HOST}\nlog: {level: \"${LEVEL}\"}\n")
	if c.PublicURL != "https://db.internal:8443/${HOST}" || c.Log.Level != "debug" {
		t.Fatalf("got %s, %s", c.PublicURL, c.Log.Level)
	}
	_, err := load(t, "data_dir: ${NOT_SET}/x${ALSO_NOT}\n", testEnv())
	wantFaults(t, err, "1:11 data_dir: NOT_SET is not set", "1:11 data_dir: ALSO_NOT is not set")
}

// TestNothingShowsASecret searches every way of printing a configuration, and every error, for every secret.
func TestNothingShowsASecret(t *testing.T) {
	e := testEnv()
	literal := signature.GenerateSymmetric().Reveal()
	text := strings.Replace(designed, "queue: embedded", "queue: rediss://resetd:${DB_PASSWORD}@cache/0", 1)
	c, err := load(t, text, e)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		fmt.Fprintf(&shown, verb, c)
		fmt.Fprintf(&shown, verb, *c)
		fmt.Fprintf(&shown, verb, c.Systems)
		fmt.Fprintf(&shown, verb, c.Queue)
	}
	for _, encode := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		b, err := encode(c)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	broken := strings.NewReplacer(`"${SOAR_KEY}"`, literal, `"${OPS_TOKEN}"`, literal, `"${LDAP_PASSWORD}"`, literal,
		"rediss://resetd:${DB_PASSWORD}@", "rediss://resetd:"+literal+"@").Replace(text)
	for _, s := range []string{broken, broken + "x: [\n", strings.ReplaceAll(broken, literal, `"`+literal), broken + literal + ": x\n",
		strings.Replace(broken, "name: soar", "name: "+literal, 1)} {
		c, err := load(t, s, e)
		if err == nil {
			t.Fatal("a literal secret was taken")
		}
		fmt.Fprintf(&shown, "%v %+v", err, err)
		if c != nil && !strings.Contains(s, "name: "+literal) {
			fmt.Fprintf(&shown, "%+v", *c)
			for _, y := range c.Systems {
				var into struct {
					URL  string `yaml:"url"`
					Name string `yaml:"password"`
				}
				fmt.Fprint(&shown, y.Config.Decode(&into), y.Config)
			}
		}
	}
	for _, secret := range []string{e["SOAR_KEY"], e["CALLBACK_KEY"], e["OPS_TOKEN"], e["LDAP_PASSWORD"], e["DB_PASSWORD"], "p%40ss", literal} {
		if i := strings.Index(shown.String(), secret); i >= 0 {
			t.Errorf("a secret is shown: …%s", shown.String()[max(0, i-200):i+len(secret)])
		}
	}
}
