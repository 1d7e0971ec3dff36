package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/jobs/callback"
)

// senderConfig writes a configuration with one source and gives its file.
func senderConfig(t *testing.T, lines string, secrets map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range secrets {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "resetd.yaml")
	text := "sources:\n  - name: alerts\n    systems: [corp-ldap]\n    " + strings.ReplaceAll(lines, "\n", "\n    ") +
		"\nsystems:\n  - {name: corp-ldap, kind: openldap, config: {url: 'ldaps://127.0.0.1', bind_dn: cn=a, password: 'file:pw', base_dn: dc=a}}\n"
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("pw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const githubKey = "gh-3Hf8Yt1Wq6Ru4Zc9Bk2Xm7Jp5Ns0Lv"

// githubSample is the sample of the preset github, and its signature.
func githubSample(t *testing.T) (file, signature string) {
	t.Helper()
	file = filepath.Join(root(t), "handlers", "source", "presets", "github.sample.json")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, "X-Hub-Signature-256: sha256=" + mac(githubKey, string(body))
}

func TestSourceTestShowsWhatABodyWouldAskFor(t *testing.T) {
	conf := senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key']}", map[string]string{"gh.key": githubKey})
	body, signed := githubSample(t)
	event := "X-GitHub-Event: repository_dispatch"
	r := resetd("", "source", "test", "-c", conf, "alerts", "--body", body, "--header", signed, "--header", event, "--at", "2026-11-22T07:00:00Z")
	r.want(t, exitOK, "verification  ok (hmac)", "")
	for _, want := range []string{"1 request", "jdoe@example.com (login_or_email), mode randomize, on corp-ldap", "reference: SEC-12", "occurred at: 2026-11-22T06:58:00Z"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in\n%s", want, r.out)
		}
	}
	r.quiet(t, githubKey)
	r = resetd("", "source", "test", "-c", conf, "alerts", "--body", body, "--header", event, "--header", strings.Replace(signed, "sha256=", "sha256=0", 1))
	r.want(t, exitUnsuccessful, "verification  refused: malformed_signature", "")
	r = resetd("", "source", "test", "-c", conf, "alerts", "--body", body, "--header", signed, "--header", event, "--at", "2026-12-01T07:00:00Z")
	r.want(t, exitUnsuccessful, "max_age", "")
}

func TestSourceTestTriesAPresetWithoutAConfiguration(t *testing.T) {
	r := resetd(`{"alerts":[{"status":"firing","labels":{"user":"jdoe"},"annotations":{},"startsAt":"2026-11-22T07:00:00Z"}],"status":"firing"}`,
		"source", "test", "--preset", "grafana", "--body", "-", "--json")
	var got trial
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.status != exitUnsuccessful || got.Problem == nil || !strings.HasSuffix(got.Problem.Type, ":no_account") {
		t.Fatalf("%d %s %s: %v", r.status, r.out, r.err, err)
	}
	if len(got.Problem.Errors) == 0 || !strings.Contains(got.Problem.Errors[0].Detail, "resetd_account") {
		t.Errorf("%+v", got.Problem)
	}
	r = resetd(`{"alerts":[{"status":"resolved"}],"status":"resolved"}`, "source", "test", "--preset", "grafana", "--body", "-")
	r.want(t, exitOK, "acknowledged, and nothing is asked for", "")
}

func TestSourceTestSaysHowItIsUsed(t *testing.T) {
	conf := senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key']}", map[string]string{"gh.key": githubKey})
	body, _ := githubSample(t)
	for want, args := range map[string][]string{
		"--body FILE":                    {"source", "test", "-c", conf, "alerts"},
		"name one source":                {"source", "test", "-c", conf, "--body", body},
		"its sources are alerts":         {"source", "test", "-c", conf, "other", "--body", body},
		"is not NAME: VALUE":             {"source", "test", "-c", conf, "alerts", "--body", body, "--header", "x"},
		"--at must be a time":            {"source", "test", "-c", conf, "alerts", "--body", body, "--at", "now"},
		"--from must be an address":      {"source", "test", "-c", conf, "alerts", "--body", body, "--from", "siem.example.com"},
		"the body cannot be read":        {"source", "test", "-c", conf, "alerts", "--body", body + "x"},
		"there is no preset \"grafanx\"": {"source", "test", "--preset", "grafanx", "--body", body},
	} {
		resetd("", args...).want(t, exitUsage, "", want)
	}
}

func TestSourcesAreListedAndShown(t *testing.T) {
	list := resetd("", "source", "list")
	for _, name := range source.Presets() {
		if !strings.Contains(list.out, "\n"+name+" ") {
			t.Errorf("%s is not listed", name)
		}
		r := resetd("", "source", "show", name)
		if r.status != exitOK || !strings.Contains(r.out, "Set it up") || !strings.Contains(r.out, "preset: "+name) {
			t.Errorf("%s: %d %s%s", name, r.status, r.out, r.err)
		}
	}
	resetd("", "source", "show", "grafanna").want(t, exitUsage, "", "did you mean grafana?")
	resetd("", "source", "show", "okta").want(t, exitUsage, "", "did you mean okta-event-hook or okta-ssf?")
	resetd("", "source", "show", "xyzzy").want(t, exitUsage, "", "resetd source list shows them")
	resetd("", "source", "receivers").want(t, exitOK, "jira", "")
	resetd("", "source", "receivers", "jira").want(t, exitOK, "format: jira", "")
	resetd("", "source", "receivers", "jirra").want(t, exitUsage, "", "did you mean jira?")
}

// What is wrong with a source is told with its place in the file, like everything else.
func TestFaultsOfSourcesHaveTheirPlaceInTheFile(t *testing.T) {
	secrets := map[string]string{"gh.key": githubKey, "short": "short", "cb.key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	for lines, want := range map[string]string{
		"preset: github\nverify: {keys: ['file:short']}": ":5:21: sources[0].verify.keys[0]",
		"preset: github": "sources[0].verify.keys",
		"preset: github\nverify: {keys: ['file:gh.key'], hmac: {content_template: '{timestamp}'}}":                      "sources[0].verify.hmac",
		"preset: github\nverify: {keys: ['file:gh.key']}\nmap: {account: '=body.x +'}":                                  "resetd.yaml:6:20: sources[0].map.account",
		"preset: github\nverify: {keys: ['file:gh.key']}\nignore_when: [{if: '1', why: x}]":                             "sources[0].ignore_when[0].if",
		"preset: github\nverify: {keys: ['file:gh.key']}\nhandshake: [hello]":                                           "sources[0].handshake[0]",
		"preset: github\nverify: {scheme: shared-secret, secret: {in: bearer}, keys: ['file:gh.key']}":                  "sources[0].verify.allow_from",
		"preset: github\nverify: {keys: ['file:gh.key']}\ncallback: {format: jira}":                                     "sources[0].callback",
		"preset: github\nverify: {keys: ['file:gh.key']}\ncallback: {format: jirra, url: 'https://acme.atlassian.net'}": "sources[0].callback.format",
		"preset: github\nverify: {keys: ['file:gh.key']}\ncallback: {url: 'http://10.0.0.5/x', key: 'file:cb.key'}":     "sources[0].callback.url: it says http://",
		"preset: native\nverify: {keys: ['file:gh.key']}":                                                               "sources[0].verify.keys[0]",
		"preset: native\nverify: {scheme: mtls}":                                                                        "sources[0].verify.certificate",
		"preset: github\nverify: {keys: ['file:gh.key'], token: {issuer: 'https://idp.example.com'}}":                   "sources[0].verify.token",
	} {
		r := resetd("", "check", "-c", senderConfig(t, lines, secrets))
		if r.status != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%s:\n%d, want %s in\n%s", lines, r.status, want, r.err)
		}
		r.quiet(t, githubKey)
	}
}

// A client certificate arrives over TLS of resetd's own, or from a proxy that is named.
func TestSourceWhoseCertificateCannotArriveIsRefused(t *testing.T) {
	pin := "sha256/" + strings.Repeat("A", 43) + "="
	r := resetd("", "check", "-c", senderConfig(t, "preset: native\nverify: {scheme: mtls, certificate: {spki: ['"+pin+"']}}", nil))
	r.want(t, exitUsage, "", "sources[0].verify.scheme: resetd does not speak TLS here")
	r = resetd("", "check", "-c", senderConfig(t, "preset: native\nverify: {scheme: mtls, certificate: {spki: ['"+pin+"'], proxy_header: X-Cert, proxy_from: [10.0.0.5]}}", nil))
	if strings.Contains(r.err, "does not speak TLS") {
		t.Error(r.err)
	}
}

func TestCheckTriesTheCertificateOfTLS(t *testing.T) {
	file := senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key']}", map[string]string{"gh.key": githubKey})
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, "tls: {certificate: gone.pem, key: gone.key}\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := resetd("", "check", "-c", file); r.status == exitOK || !strings.Contains(r.out, "gone.pem") {
		t.Errorf("%d %s%s", r.status, r.out, r.err)
	}
	resetd("", "serve", "-c", file).want(t, exitUnsuccessful, "", "gone.pem")
}

func TestCheckMarksWeakSources(t *testing.T) {
	r := resetd("", "check", "-c", senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key']}", map[string]string{"gh.key": githubKey}))
	if !strings.Contains(r.out, "source alerts (github) is weak: the scheme signs no time") {
		t.Errorf("%s%s", r.out, r.err)
	}
}

// The README lists every preset and no other, and so do the names in it.
func TestTheReadmeListsThePresets(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "### Who asks")
	list, _, _ = strings.Cut(list, "```yaml")
	var named []string
	for i, part := range strings.Split(list, "`") {
		if i%2 == 1 && !strings.Contains(part, " ") {
			named = append(named, part)
		}
	}
	slices.Sort(named)
	if !slices.Equal(named, source.Presets()) {
		t.Errorf("the README names %v, the presets are %v", named, source.Presets())
	}
}

// What the page of a format shows can be pasted into a source, when what only the reader knows is written in.
func TestWhatReceiversAskForCanBePasted(t *testing.T) {
	formats, err := callback.Formats()
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"gh.key": githubKey, "cb.key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret": "https://example.com/hook"}
	fill := strings.NewReplacer("${CALLBACK_KEY}", "file:cb.key", "${RECEIVER_SECRET}", "file:secret",
		`from: ""`, "from: resetd@example.com", `channel: ""`, "channel: C0123456789", `key_id: ""`, `key_id: "7"`)
	for _, f := range formats {
		page := resetd("", "source", "receivers", f.Name)
		_, part, _ := strings.Cut(page.out, "\nConfiguration\n")
		part, _, _ = strings.Cut(part, "\n\n")
		lines := "preset: github\nverify: {keys: ['file:gh.key']}\n" + fill.Replace(strings.ReplaceAll(strings.TrimPrefix(part, "  "), "\n  ", "\n"))
		r := resetd("", "source", "test", "-c", senderConfig(t, lines, secrets), "alerts", "--body", "-")
		if r.status == exitUsage {
			t.Errorf("%s:\n%s\n%s", f.Name, lines, r.err)
		}
	}
}

// The page of the format custom names every value that a template may use.
func TestThePageOfCustomNamesItsValues(t *testing.T) {
	conf := senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key']}\ncallback: {format: custom, url: 'https://t.example.com', auth: {scheme: none}, "+
		"template: {requests: [{name: a, body: {x: '{nonsense}'}}]}}", map[string]string{"gh.key": githubKey})
	r := resetd("", "source", "test", "-c", conf, "alerts", "--body", "-")
	_, names, ok := strings.Cut(r.err, "there are ")
	if !ok {
		t.Fatalf("%d %s", r.status, r.err)
	}
	page := resetd("", "source", "receivers", "custom").out
	for name := range strings.FieldsFuncSeq(names, func(c rune) bool { return strings.ContainsRune(", \n", c) }) {
		if strings.HasPrefix(name, "{") && !strings.Contains(page, name) {
			t.Errorf("%s is not on the page", name)
		}
	}
}

// What a serving resetd refuses before or after the proof, the trial refuses too.
func TestSourceTestRefusesWhatServingRefuses(t *testing.T) {
	conf := senderConfig(t, "preset: github\nverify: {keys: ['file:gh.key'], allow_from: ['192.0.2.0/24']}", map[string]string{"gh.key": githubKey})
	body, signed := githubSample(t)
	large := filepath.Join(t.TempDir(), "large.json")
	if err := os.WriteFile(large, []byte(strings.Repeat(" ", 256<<10)+"{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"source", "test", "-c", conf, "alerts", "--at", "2026-11-22T07:00:00Z", "--header", signed, "--header", "X-GitHub-Event: repository_dispatch"}
	with := func(more ...string) result { return resetd("", append(slices.Clone(base), more...)...) }
	with("--body", body, "--header", "content-type: application/json").want(t, exitOK, "verification  ok", "")
	with("--body", body, "--token", "anything").want(t, exitUnsuccessful, "refused: wrong_secret", "")
	with("--body", body, "--header", "Content-Type: text/plain").want(t, exitUnsuccessful, "refused with 415", "")
	with("--body", body, "--header", "Content-Encoding: gzip").want(t, exitUnsuccessful, "refused with 415", "")
	with("--body", large).want(t, exitUnsuccessful, "refused with 413", "")
	with("--body", body, "--from", "nowhere").want(t, exitUsage, "", "--from must be an address")
	with("--body", body, "--from", "198.51.100.1").want(t, exitUnsuccessful, "forbidden_address", "")
}

// With a preset alone there are no keys, so that a token is read without being verified.
func TestSourceTestReadsATokenOfAPreset(t *testing.T) {
	sample := filepath.Join(root(t), "handlers", "source", "presets", "ssf.sample.txt")
	r := resetd("", "source", "test", "--preset", "ssf", "--body", sample, "--at", "2026-11-22T07:00:00Z")
	r.want(t, exitOK, "jdoe@example.com (email)", "")
}
