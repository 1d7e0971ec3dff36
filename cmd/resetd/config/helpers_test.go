package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

// known is what the tests pretend to exist.
func known() config.Known {
	return config.Known{Kinds: []string{"entra", "openldap"}, Presets: []string{"native", "splunk"},
		Schemes: []string{"hmac", "standard-webhooks"}}
}

// env is an environment with a fresh key for each name that ends in KEY.
type env map[string]string

func testEnv() env {
	return env{
		"SOAR_KEY": signature.GenerateSymmetric().Reveal(), "OTHER_KEY": signature.GenerateSymmetric().Reveal(),
		"CALLBACK_KEY": signature.GenerateSymmetric().Reveal(), "OPS_TOKEN": "ops-token-of-32-characters-length",
		"LDAP_PASSWORD": "ldap-secret-4711", "EMPTY": "", "DB_PASSWORD": "p@ss/w?rd #1%", "HOST": "db.internal", "LEVEL": "debug",
	}
}

func (e env) lookup(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

// load writes a file into a fresh folder and loads it.
func load(t *testing.T, text string, e env) (*config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "resetd.yaml")
	write(t, file, text, 0o600)
	return config.Load(file, known(), e.lookup)
}

func mustLoad(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := load(t, text, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}

// wantFaults compares an error with lines of the form "line:column path: part of the text".
func wantFaults(t *testing.T, err error, want ...string) {
	t.Helper()
	var got config.Faults
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want faults", err)
	}
	bad := len(got) != len(want)
	for i := 0; !bad && i < len(want); i++ {
		place, text, _ := strings.Cut(want[i], ": ")
		f := got[i]
		bad = strings.TrimSpace(fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Path)) != place || !strings.Contains(f.Text, text)
	}
	if bad {
		t.Fatalf("got\n%v\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// minimal is the smallest source and system; a test adds what it is about.
const minimal = `sources:
  - name: soar
    verify: {keys: ["${SOAR_KEY}"]}
    systems: [corp-ldap]
systems:
  - name: corp-ldap
    kind: openldap
`
