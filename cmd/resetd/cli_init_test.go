package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

// contents reads every file below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInitWritesAConfigurationThatLoads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "place")
	r := resetd("", "init", "--dir", dir)
	r.want(t, exitOK, "wrote "+filepath.Join(dir, "resetd.yaml"), "")
	c, err := config.Load(filepath.Join(dir, "resetd.yaml"), config.Known{Kinds: []string{"openldap"}, Presets: []string{"native"}, Schemes: []string{"standard-webhooks"}}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings()) != 0 || len(c.Sources) != 1 || len(c.Systems) != 1 || c.Systems[0].Granted() {
		t.Fatalf("%v, %+v", c.Warnings(), c)
	}
	var settings struct {
		URL      string `yaml:"url"`
		BindDN   string `yaml:"bind_dn"`
		Password string `yaml:"-"`
		BaseDN   string `yaml:"base_dn"`
	}
	var fs config.Faults
	if err := c.Systems[0].Config.Decode(&settings); !errors.As(err, &fs) || len(fs) != 1 || fs[0].Path != "systems[0].config.password" {
		t.Fatalf("the settings have more, or less, than is known: %v", err)
	}
	for name, text := range contents(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
		if strings.HasPrefix(name, "keys/") {
			r.quiet(t, strings.TrimSpace(text))
		}
		if strings.HasSuffix(name, ".key") {
			if _, err := signature.ParseKey(strings.TrimSpace(text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// What is commented out must load too once somebody takes the marks away.
	text := contents(t, dir)["resetd.yaml"]
	for _, mark := range []string{"# public_url", "# callback", "#   allow", "#   key", "#   events", "# tls_ca"} {
		text = strings.Replace(text, mark, strings.TrimPrefix(mark, "# "), 1)
	}
	text = strings.NewReplacer("#   allow", "  allow").Replace(text)
	c, err = config.Parse(filepath.Join(dir, "resetd.yaml"), []byte(text), config.Known{}, os.LookupEnv)
	if err != nil || len(c.Sources[0].Callback.SigningKeys()) != 1 || c.PublicURL != "https://resetd.example.com" {
		t.Fatalf("%v\n%s", err, text)
	}
}

func TestInitMakesFreshKeysEachTime(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	resetd("", "init", "--dir", one)
	resetd("", "init", "--dir", two)
	a, b := contents(t, one), contents(t, two)
	if len(a) != 6 {
		t.Fatalf("files: %d", len(a))
	}
	for name, text := range a {
		if same := text == b[name]; same != (name == "resetd.yaml" || name == "keys/corp-ldap.password") {
			t.Errorf("%s: the same twice: %t", name, same)
		}
	}
	if a["keys/soar.key"] == a["keys/soar-callback.key"] {
		t.Error("one key for both directions")
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"resetd.yaml": "listen: 127.0.0.1:1\n", "keys/soar.key": "mine\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	resetd("", "init", "--dir", dir).want(t, exitUsage, "", "is there already")
	if got := contents(t, dir); len(got) != 2 {
		t.Fatalf("something was written: %v", got)
	}
	resetd("", "init", "--dir", dir, "--force").want(t, exitOK, "kept  "+filepath.Join(dir, "keys", "soar.key"), "")
	kept := false
	got := contents(t, dir)
	for name, text := range got {
		kept = kept || strings.HasPrefix(name, "resetd.yaml.") && text == "listen: 127.0.0.1:1\n"
	}
	if !kept || got["keys/soar.key"] != "mine\n" || got["resetd.yaml"] != starter || len(got) != 7 {
		t.Fatalf("got %v", got)
	}
}

func TestInitTellsWhyItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	resetd("", "init", "--dir", filepath.Join(file, "x")).want(t, exitUnsuccessful, "", "name another with --dir")
}

// TestTheNextStepsOfInitWork runs the send that init prints against a server in the place that the starter names.
func TestTheNextStepsOfInitWork(t *testing.T) {
	f := newFakeAPI(t)
	dir := t.TempDir()
	var line string
	for l := range strings.Lines(resetd("", "init", "--dir", dir).out) {
		if strings.Contains(l, "resetd send") {
			line = strings.TrimSpace(l)
		}
	}
	key, err := signature.ParseKey(strings.TrimSpace(contents(t, dir)["keys/soar.key"]))
	if err != nil {
		t.Fatal(err)
	}
	f.key = key
	file := filepath.Join(dir, "resetd.yaml")
	for old, text := range map[string]string{file: strings.Replace(starter, "127.0.0.1:8080", strings.TrimPrefix(f.URL, "http://"), 1), filepath.Join(dir, "keys", "ops.token"): testToken} {
		if err := os.WriteFile(old, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	words := strings.Fields(line)
	if len(words) < 3 || words[0] != "resetd" {
		t.Fatalf("no step to send: %q", line)
	}
	resetd("", words[1:]...).want(t, exitOK, "jdoe@example.com", "")
	if len(f.requests) != 1 || !f.requests[0].DryRun {
		t.Fatalf("asked for %+v", f.requests)
	}
}

func TestAPathIsQuotedWhereAShellNeedsIt(t *testing.T) {
	for path, want := range map[string]string{"resetd.yaml": "resetd.yaml", "/a b/c": "'/a b/c'", "it's": `'it'\''s'`, "$x": "'$x'"} {
		if got := shellWord(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
