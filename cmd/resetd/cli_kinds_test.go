package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas/signature"
)

// TestStarterAndExampleOpenWithTheRealKinds goes as far as one can without a directory: every system's settings are
// read into the type of its kind, checked, and made into a connector.
func TestStarterAndExampleOpenWithTheRealKinds(t *testing.T) {
	for _, name := range []string{"SOAR_KEY", "SOAR_KEY_2", "SOAR_CALLBACK_KEY"} {
		t.Setenv(name, signature.GenerateSymmetric().Reveal())
	}
	t.Setenv("LDAP_PASSWORD", "ldap-password")
	t.Setenv("OPS_TOKEN", newToken())
	dir := t.TempDir()
	resetd("", "init", "--dir", dir).want(t, exitOK, "wrote", "")
	for _, file := range []string{filepath.Join(dir, starterName), filepath.Join(root(t), "deploy", "resetd.example.yaml")} {
		c, err := config.Load(file, known(), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry(), nil)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if n := len(set.Systems()); n != len(c.Systems) || n == 0 {
			t.Errorf("%s: %d systems of %d", file, n, len(c.Systems))
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What `resetd kinds KIND` prints can be pasted under systems: as it stands, and permits nothing.
func TestEveryKindPrintsAnEntryForTheConfiguration(t *testing.T) {
	list := resetd("", "kinds")
	for _, k := range kinds() {
		if !strings.Contains(list.out, k.Name+"\n") {
			t.Errorf("%s is not listed", k.Name)
		}
		r := resetd("", "kinds", k.Name)
		if r.status != exitOK {
			t.Fatalf("%s: status %d, %s", k.Name, r.status, r.err)
		}
		dir := t.TempDir()
		file := filepath.Join(dir, starterName)
		if err := os.WriteFile(file, []byte("sources: []\nsystems:\n"+r.out), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file, known(), func(name string) (string, bool) { return "the-value-of-" + name, true })
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if got := c.Systems[0]; got.Kind != k.Name || got.Granted() {
			t.Errorf("%s: %+v", k.Name, got)
		}
	}
	resetd("", "kinds", "teapot").want(t, exitUsage, "", "openldap")
	resetd("", "kinds", "kaycloak").want(t, exitUsage, "", "did you mean keycloak?")
}

// A kind validates its settings also where they could not be read, so it must take whatever is left of them.
func TestEveryKindTakesSettingsThatCouldNotBeRead(t *testing.T) {
	for _, k := range kinds() {
		_, _, err := k.Open(connectors.Env{System: "corp"}, func(any) error { return errors.New("unread") })
		if err == nil || !strings.Contains(err.Error(), "unread") {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}

// The help says that an entry can be appended to the file that init wrote, and every optional key can be switched on.
func TestEveryEntryCanBeAppendedToTheFileThatInitWrote(t *testing.T) {
	for _, k := range kinds() {
		entry := resetd("", "kinds", k.Name).out
		var optional []string
		for _, key := range []string{"rate", "workers", "timeout", "privileged"} {
			optional = append(optional, "# "+key+":", key+":")
		}
		optional = append(optional, "# source_system: corp-ad ", "source_system: corp-ldap ")
		for i := 0; i < len(optional); i += 2 {
			if !strings.Contains(entry, "    "+optional[i]) {
				t.Errorf("%s: %q is not shown", k.Name, optional[i])
			}
		}
		for _, text := range []string{entry, strings.NewReplacer(optional...).Replace(entry)} {
			file := begun(t)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(before, text...), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(file, known(), func(name string) (string, bool) { return "the-value-of-" + name, true })
			if err != nil || len(c.Systems) != 2 || c.Systems[1].Kind != k.Name {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
	}
}
