package config_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/cmd/resetd/config"
)

// designed is the file that the documentation shows.
const designed = `listen: 127.0.0.1:8080
public_url: https://resetd.example.com
data_dir: ./resetd-data
ledger: sqlite                      # or postgres://…
queue: embedded
sources:
  - name: soar
    preset: native
    verify: {scheme: standard-webhooks, keys: ["${SOAR_KEY}"]}   # several keys = rotation
    systems: [corp-ldap]
    callback: {allow: ["https://soar.example.com/"], key: "${CALLBACK_KEY}", events: [final]}
systems:
  - name: corp-ldap
    kind: openldap
    enforcement: granted
    rate: 20/s
    config: {url: "ldaps://ldap.example.com", bind_dn: "…", password: "${LDAP_PASSWORD}", base_dn: "…", tls_ca: ca.pem}
api: {tokens: [{name: ops, role: operator, token: "${OPS_TOKEN}"}]}
callbacks: {allow_private_networks: false}
guard: {}
`

func TestTheDesignedFileLoads(t *testing.T) {
	c := mustLoad(t, designed)
	e := testEnv()
	s, y := c.Sources[0], c.Systems[0]
	switch {
	case c.Listen != "127.0.0.1:8080", c.PublicURL != "https://resetd.example.com", !filepath.IsAbs(c.DataDir),
		c.Ledger.Scheme != "sqlite", !c.Ledger.Local(), c.Queue.Scheme != "embedded", !c.Queue.Local():
		t.Fatalf("top level: %+v", c)
	case s.Name != "soar", s.Preset != "native", s.Verify.Scheme != "standard-webhooks", len(s.Verify.Keys) != 1,
		!slices.Equal(s.Systems, []string{"corp-ldap"}), len(s.Callback.SigningKeys()) != 1,
		!slices.Equal(s.Callback.Allow, []string{"https://soar.example.com/"}), !slices.Equal(s.Callback.Events, []string{"final"}):
		t.Fatalf("source: %+v", s)
	case y.Name != "corp-ldap", y.Kind != "openldap", !y.Granted(), y.Rate.PerSecond() != 20:
		t.Fatalf("system: %+v", y)
	case c.API.Tokens[0].Name != "ops", c.API.Tokens[0].Role != "operator", c.API.Tokens[0].Token.Reveal() != e["OPS_TOKEN"]:
		t.Fatalf("api: %+v", c.API)
	case len(c.Warnings()) != 0:
		t.Fatalf("warnings: %v", c.Warnings())
	}
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	c := mustLoad(t, minimal)
	s, y := c.Sources[0], c.Systems[0]
	got := map[string]any{
		"listen": c.Listen, "data_dir": "./" + filepath.Base(c.DataDir), "ledger": c.Ledger.String(), "queue": c.Queue.String(),
		"sources[].preset": s.Preset, "sources[].callback.events": strings.Join(s.Callback.Events, " "),
		"systems[].enforcement": y.Enforcement, "systems[].timeout": y.Timeout, "systems[].privileged": y.Privileged, "log.level": c.Log.Level, "log.format": c.Log.Format,
		"retention.tasks": c.Retention.Tasks, "refusals_per_address": c.RefusalsPerAddress.String(),
	}
	for _, row := range config.Defaults() {
		have, ok := got[row.Key]
		if d, isDuration := have.(time.Duration); isDuration {
			want, err := config.ParseDuration(row.Value)
			ok = ok && err == nil && d == want
		} else {
			ok = ok && have == row.Value
		}
		if !ok {
			t.Errorf("%s is %v, want %s", row.Key, have, row.Value)
		}
		delete(got, row.Key)
	}
	if len(got) != 0 {
		t.Errorf("no default for %v", got)
	}
	switch {
	case y.Granted():
		t.Error("a system must not be granted by default")
	case c.PublicURL != "http://127.0.0.1:8080" || c.LocalURL() != "http://127.0.0.1:8080":
		t.Errorf("URLs: %s, %s", c.PublicURL, c.LocalURL())
	case y.Rate.PerSecond() != 0 || y.Workers != 0 || c.API.MetricsOpen || c.Callbacks.AllowPrivateNetworks:
		t.Errorf("something is on that nobody asked for: %+v", c)
	}
}

func TestAnEmptyFileIsAllDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "guard:\nsources:\nsystems: []\napi:\n  tokens:\n"} {
		c, err := load(t, text, testEnv())
		if err != nil || c.Listen != "127.0.0.1:8080" || c.Log.Level != "info" {
			t.Errorf("%q: %v, %+v", text, err, c)
		}
	}
}

func TestRelativePathsBeginAtTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etc", "resetd.yaml"), "data_dir: ../data\n", 0o600)
	c, err := config.Load(filepath.Join(dir, "etc", "resetd.yaml"), known(), testEnv().lookup)
	if err != nil || c.DataDir != filepath.Join(dir, "data") {
		t.Fatalf("%v, %v", c, err)
	}
}

func TestEveryMistakeIsToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	_, err := load(t, `listen: 8080
pubic_url: https://resetd.example.com
ledger: mysql://db/resetd
sources:
  - name: soar
    preset: spunk
    verify: {scheme: standard-webhooks, keys: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, "${NOT_SET}"]}
    systems: [corp-ldap, corp-ad]
    systems: [corp-ldap]
    callback: {url: https://soar.example.com/hook}
  - name: soar
    verify: {keys: ["${EMPTY}"]}
    systems: corp-ldap
systems:
  - kind: openldap
    name: corp-ldap
    enforcement: yes
    rate: 20
    timeout: 30
    workers: many
log: {level: loud}
guard: {brake: 10}
`, testEnv())
	wantFaults(t, err,
		"1:9 listen: HOST:PORT",
		"2:1 pubic_url: did you mean public_url?",
		"3:9 ledger: postgres://",
		"6:13 sources[0].preset: did you mean splunk?",
		"7:48 sources[0].verify.keys[0]: write ${SOAR_KEY} or file:PATH instead",
		"7:88 sources[0].verify.keys[1]: variable NOT_SET is not set",
		"8:26 sources[0].systems[1]: there is no system \"corp-ad\"; the systems are corp-ldap",
		"9:5 sources[0].systems: stands in line 8 already",
		"10:15 sources[0].callback.key: key: ${SOAR_CALLBACK_KEY}",
		"11:11 sources[1].name: another source, in line 5",
		"12:21 sources[1].verify.keys[0]: EMPTY is empty",
		"13:14 sources[1].systems: must be a list",
		"17:18 systems[0].enforcement: granted, not_granted",
		"18:11 systems[0].rate: such as 20/s",
		"19:14 systems[0].timeout: such as 500ms, 30s",
		"20:14 systems[0].workers: whole number",
		"21:14 log.level: debug, info, warn, error",
		"22:9 guard.brake: nothing can be set here yet",
	)
	first := fmt.Sprint(err)
	if head, _, _ := strings.Cut(first, "\n"); !strings.Contains(head, "resetd.yaml:1:9: listen: ") {
		t.Fatalf("the first line does not begin with file:line:column: %s", head)
	}
}

func TestWhatCannotBeReadAtAllSaysWhy(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.yaml")
	write(t, big, strings.Repeat("#", 5<<20), 0o600)
	for _, file := range []string{filepath.Join(dir, "missing.yaml"), dir, big} {
		c, err := config.Load(file, known(), testEnv().lookup)
		if err == nil || c != nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestBrokenYAMLIsToldWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"sources:\n\t- name: a\n":             "2:1: indent with spaces",
		"log:\n  level: info\n \tformat: x\n": "3:2: indent with spaces",
		"a: \"x\n":                            "1:4: not YAML",
		"listen: a\n  b: c\n":                 "1:9: not YAML",
		"api: {tokens: [{token: ${OPS}}]}\n":  `1:25: "${NAME}"`,
		"listen: a\n---\nlisten: b\n":         "3:1: second document",
		"\tlisten: a\n":                       "1:7: tab",
		"listen: [1, 2\nqueue: embedded\n":    "2:1: not YAML",
		"- a\n- b\n":                          "1:1: must hold keys",
		"hello\n":                             "1:1: must hold keys",
		"listen: &a x\n":                      "1:9 listen: anchors",
		"listen: !!str x\n":                   "1:9 listen: tags",
		"<<: {listen: x}\n":                   "1:1 <<: merge keys",
		"1: x\n":                              "1:1 1: a key must be plain text",
		"listen:\n":                           "1:9 listen: this is empty",
		"sources: [,]\n":                      "1:11: not YAML",
		"sources:\n  -\n":                     "2:5 sources[0]: this entry is empty",
		"data_dir: {a: b}\n":                  "1:11 data_dir: not a list or a mapping",
		"callbacks: true\n":                   "1:12 callbacks: must hold keys",
		"callbacks:\n  allow_private_networks: yes\n": "2:27 callbacks.allow_private_networks: true or false",
	} {
		c, err := load(t, text, testEnv())
		t.Run(text, func(t *testing.T) { wantFaults(t, err, want) })
		if strings.Contains(want, "not YAML") && c != nil {
			t.Errorf("%q: a configuration beside a syntax error", text)
		}
	}
}

func TestFaultsOfAPartCanBeTakenOut(t *testing.T) {
	_, err := load(t, strings.Replace(minimal, "${SOAR_KEY}", "${NOT_SET}", 1)+"  - name: x\n    kind: nonsense\n", testEnv())
	var all config.Faults
	if !errors.As(err, &all) || len(all) != 2 {
		t.Fatalf("got %v", err)
	}
	if got := all.Concerning("sources[0]"); len(got) != 1 || got[0].Path != "sources[0].verify.keys[0]" {
		t.Errorf("of sources[0]: %v", got)
	}
	if got := all.Concerning("sources[0].verify.keys"); len(got) != 1 {
		t.Errorf("of its keys: %v", got)
	}
	if got := all.Concerning("sources"); len(got) != 1 {
		t.Errorf("of all sources: %v", got)
	}
	if got := all.Concerning("systems[0]"); len(got) != 0 {
		t.Errorf("of systems[0]: %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{designed, minimal, "a: &x 1\nb: *x\n", "? [a]\n: {b: |\n  c}\n", "ledger: postgres://a:b@c?password=d\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("resetd.yaml", []byte(text), known(), testEnv().lookup)
		var fs config.Faults
		if err != nil && !errors.As(err, &fs) {
			t.Fatalf("an error that is no fault: %v", err)
		}
		for _, fault := range fs {
			if fault.Line < 0 || fault.Text == "" {
				t.Fatalf("a fault without place or text: %+v", fault)
			}
		}
		if err == nil && c.Listen == "" {
			t.Fatal("loaded without an address to listen on")
		}
	})
}

func TestALineInAWrongColumnGetsAHintAtItsIndentation(t *testing.T) {
	for _, text := range []string{"sources:\n  - name: a\n   preset: native\n", "listen: a\n  data_dir: b\n", "api:\n  tokens: []\n metrics_open: true\n"} {
		_, err := load(t, text, testEnv())
		var fs config.Faults
		if !errors.As(err, &fs) || len(fs) != 1 || fs[0].Line == 0 || !strings.Contains(fs[0].Text, "indentation") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
