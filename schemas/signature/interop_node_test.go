package signature_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// nodeAnswer is what the scripts in testdata say about one case.
type nodeAnswer struct {
	Verified  bool   `json:"verified"`
	Changed   bool   `json:"changed"`
	Signature string `json:"signature"`
}

// node returns the path of Node. In -short runs it skips, unless everything is
// demanded.
func node(t *testing.T) string {
	t.Helper()
	if testing.Short() && os.Getenv("RESETD_TEST_REQUIRE") != "all" {
		t.Skip("skipped: -short")
	}
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node in PATH")
	}
	return path
}

// runScript runs a script of testdata in dir with input as JSON on stdin, and reads
// JSON from its stdout.
func runScript(t *testing.T, node, dir, script string, input, output any) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, script)
	if err := os.WriteFile(path, source, 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, node, path)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, bytes.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), output); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func TestNodeCryptoAgreesWithOurVectors(t *testing.T) {
	path := node(t)
	raw, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var answers []nodeAnswer
	runScript(t, path, t.TempDir(), "vectors.mjs", json.RawMessage(raw), &answers)
	vectors := ownVectors(t)
	if len(answers) != len(vectors) {
		t.Fatalf("%d answers to %d vectors", len(answers), len(vectors))
	}
	for i, v := range vectors {
		if a := answers[i]; !a.Verified || a.Changed || a.Signature != v.Signature {
			t.Errorf("%s: node:crypto says %+v", v.Name, a)
		}
	}
}

// TestNpmLibraries exchanges signatures with the npm libraries in both directions. It
// installs them once, into a folder of its own.
func TestNpmLibraries(t *testing.T) {
	path := node(t)
	npm, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm in PATH")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "standardwebhooks@1.1.1", "svix@2.5.0")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("%v\n%s", err, out)
		missing(t, "the npm packages standardwebhooks 1.1.1 and svix 2.5.0")
	}

	type npmCase struct {
		Key       string `json:"key"`
		ID        string `json:"id"`
		Timestamp string `json:"timestamp"`
		Signature string `json:"signature"`
		Body      string `json:"body"`
	}
	var cases []npmCase
	at := time.Now()
	for _, body := range interopBodies() {
		key := signature.GenerateSymmetric()
		private, _ := signature.GenerateAsymmetric()
		s, err := signature.Sign([]signature.Key{private, signature.GenerateSymmetric(), key}, "msg_interop", at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, npmCase{key.Reveal(), s.ID, s.Timestamp, s.Signature, body})
	}
	var answers []map[string]nodeAnswer
	runScript(t, path, dir, "libraries.mjs", cases, &answers)
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases", len(answers), len(cases))
	}
	for i, c := range cases {
		for _, library := range []string{"standardwebhooks", "svix"} {
			a, ok := answers[i][library]
			if !ok || !a.Verified || a.Changed {
				t.Errorf("body %d: %s answers %+v to our signature", i, library, a)
			}
			h := header(c.ID, strconv.FormatInt(at.Unix(), 10), a.Signature)
			if _, err := mustVerifier(t, mustParse(t, c.Key)).Verify(h, []byte(c.Body), at); err != nil {
				t.Errorf("body %d: the signature of %s: %v", i, library, err)
			}
			if _, err := mustVerifier(t, mustParse(t, c.Key)).Verify(h, []byte(c.Body+" "), at); err == nil {
				t.Errorf("body %d: the signature of %s fits a changed body", i, library)
			}
		}
	}
}
