package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

// TestStarterAndExampleOpenWithTheRealKinds goes as far as one can without a directory: every system's settings are
// read into the type of its kind, checked, and made into a connector.
func TestStarterAndExampleOpenWithTheRealKinds(t *testing.T) {
	for _, name := range []string{"SOAR_KEY", "SOAR_CALLBACK_KEY"} {
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
		set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry())
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
