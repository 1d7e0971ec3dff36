package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// added is the starter with more systems behind its own, which no test reaches.
func added(t *testing.T, systems string, pairs ...string) string {
	t.Helper()
	last := "      # tls_ca: ca.pem"
	return begun(t, append(pairs, last, systems+last)...)
}

func TestCheckWarnsOfSystemsThatNoRequestReaches(t *testing.T) {
	const sso = "  - name: sso\n    kind: keycloak\n    source_system: SOURCE\n    config: {base_url: \"https://127.0.0.1:1\", realm: corp, " +
		"client_id: resetd, client_secret: \"file:keys/corp-ldap.password\"}\n"
	const other = "  - name: other\n    kind: keycloak\n    config: {base_url: \"https://127.0.0.1:1\", realm: corp, client_id: resetd, " +
		"client_secret: \"file:keys/corp-ldap.password\"}\n"
	for name, c := range map[string]struct{ systems, list, want string }{
		"no source may act on it":    {strings.Replace(sso, "SOURCE", "corp-ldap", 1), "[corp-ldap]", "add sso to systems: of a source"},
		"only the copy is listed":    {strings.Replace(sso, "SOURCE", "corp-ldap", 1), "[sso]", "add corp-ldap to systems: of that source"},
		"the origin is no directory": {strings.Replace(sso, "SOURCE", "other", 1) + other, "[corp-ldap, sso, other]", "of the kind keycloak"},
	} {
		r := resetd("", "check", "-c", added(t, c.systems, "systems: [corp-ldap]", "systems: "+c.list))
		if !strings.Contains(r.out, c.want) || !strings.Contains(r.out, "warn  sso ") || !strings.Contains(r.out, string(schemas.TopicConfiguration)) {
			t.Errorf("%s: status %d\n%s%s", name, r.status, r.out, r.err)
		}
	}
	good := resetd("", "check", "-c", added(t, strings.Replace(sso, "SOURCE", "corp-ldap", 1), "systems: [corp-ldap]", "systems: [corp-ldap, sso]"))
	if strings.Contains(good.out, "warn  sso ") || good.status == exitUsage {
		t.Errorf("what is right is warned of\n%s%s", good.out, good.err)
	}
}

func TestAConfigurationWithoutAnythingToDoIsRefused(t *testing.T) {
	starter, err := os.ReadFile(begun(t))
	if err != nil {
		t.Fatal(err)
	}
	cut, _, _ := strings.Cut(string(starter), "# Who may send webhooks")
	for name, text := range map[string]string{"empty": "", "cut off": cut} {
		file := filepath.Join(t.TempDir(), "m.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := resetd("", "check", "-c", file)
		r.want(t, exitUnsuccessful, "has no sources", "problems")
		if !strings.Contains(r.out, "has no systems") || strings.Contains(r.out, "ok    configuration") {
			t.Errorf("%s:\n%s", name, r.out)
		}
		resetd("", "serve", "-c", file).want(t, exitUsage, "", "add one under sources:")
	}
}

func TestCheckWarnsWhenNobodyMayUseTheAPI(t *testing.T) {
	file := begun(t, `    - {name: ops, role: operator, token: "file:keys/ops.token"}`, "",
		`    - {name: admin, role: admin, token: "file:keys/admin.token"}`, "")
	if r := resetd("", "check", "-c", file); !strings.Contains(r.out, "warn  configuration") || !strings.Contains(r.out, "tokens: is empty") {
		t.Errorf("got\n%s%s", r.out, r.err)
	}
	if r := resetd("", "check", "-c", begun(t)); strings.Contains(r.out, "warn  configuration") {
		t.Errorf("what is right is warned of\n%s", r.out)
	}
}

// Both passes run: what the file's own rules find, and what each kind finds in its settings.
func TestMistakesOfTheFileAndOfTheKindsAreToldTogetherInTheOrderOfTheFile(t *testing.T) {
	file := begun(t, "listen: 127.0.0.1:8080", "listen: nowhere", "base_dn: dc=example,dc=com", "base_dn: no dn", "bind_dn:", "bidn_dn:",
		"guard: {}", "guard: {}\ndelivery: {recipients: [age1short]}")
	r := resetd("", "check", "-c", file)
	r.want(t, exitUsage, "", "the configuration is wrong:\n"+file+":")
	at := -1
	for _, part := range []string{": listen: ", ": delivery.recipients[0]: this is no age public key; copy the whole age1… key", "did you mean bind_dn?",
		": systems[0].config.base_dn: "} {
		i := strings.Index(r.err, part)
		if i <= at {
			t.Errorf("%q is missing or in the wrong place:\n%s", part, r.err)
		}
		at = i
	}
	if strings.Contains(r.err, "config.bind_dn: ") {
		t.Errorf("a misspelt key is told as missing too:\n%s", r.err)
	}
	// What one kind alone finds has the heading too, and a place.
	r = resetd("", "check", "-c", begun(t, "base_dn: dc=example,dc=com", "base_dn: no dn"))
	r.want(t, exitUsage, "", "the configuration is wrong:\n")
	// What could not be read is told once, and not again as missing.
	r = resetd("", "check", "-c", begun(t, "password: file:keys/corp-ldap.password", "password: ${NOT_SET_ANYWHERE}"))
	if n := strings.Count(r.err, "config.password: "); n != 1 {
		t.Errorf("told %d times:\n%s", n, r.err)
	}
}

// check finds what serve would refuse to start with.
func TestCheckFindsWhatServeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ lines, want string }{
		"http without private networks": {"callbacks: {allow_private_networks: false}\nlisten: 127.0.0.1:0", "sources[0].callback.url: it says http://"},
		"no authorities of receivers":   {"callbacks: {allow_private_networks: true, tls_ca: none.pem}\nlisten: 127.0.0.1:0", "callbacks.tls_ca: open "},
	} {
		file := begun(t, "    # callback:\n", "    callback: {url: 'http://127.0.0.1:1/', key: 'file:keys/soar-callback.key'}\n",
			"callbacks: {allow_private_networks: false}", c.lines, "listen: 127.0.0.1:8080", "")
		r := resetd("", "check", "-c", file)
		if r.status != exitUsage || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: status %d, want %q\n%s%s", name, r.status, c.want, r.out, r.err)
		}
	}
}
