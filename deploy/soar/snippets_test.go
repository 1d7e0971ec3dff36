package soar_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// What the snippets are given. Letters outside ASCII and quotation marks show whether bytes stay bytes.
const (
	account   = "jörg.o'neil@example.com"
	reference = `INC "0012345" — 😀`
	since     = "2026-11-22T07:00:00Z"
)

// snippets reads the code blocks of the README: heading and language → code, in the order in which they stand.
func snippets(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	heading, language := "", ""
	for line := range strings.Lines(string(text)) {
		mark, fenced := strings.CutPrefix(strings.TrimRight(line, "\n"), "```")
		switch {
		case fenced && language == "":
			language = mark
			if _, twice := out[heading+" "+language]; twice || language == "" {
				t.Fatalf("%q has two blocks of one language, or one of none; the test cannot tell them apart", heading)
			}
			out[heading+" "+language] = ""
		case fenced:
			language = ""
		case language != "":
			out[heading+" "+language] += line
		case strings.HasPrefix(line, "## "):
			heading = strings.TrimSpace(line[3:])
		}
	}
	return out
}

// glide stands in for the classes of ServiceNow that the snippet uses. The text of a MAC is taken as Latin-1, so that a
// body outside ASCII, whose encoding there nobody promises, would show.
const glide = `
const nodeCrypto = require('crypto');
class GlideDigest { getSHA256Hex(text) { return nodeCrypto.createHash('sha256').update(text, 'latin1').digest('hex').toUpperCase(); } }
class GlideDateTime { getNumericValue() { return Date.now(); } }
class GlideCertificateEncryption { generateMac(key, algorithm, text) {
	if (algorithm !== 'HmacSHA256') throw new Error(algorithm);
	return nodeCrypto.createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'latin1').digest('base64');
} }
const sn_ws = { RESTMessageV2: class {
	headers = {};
	setHttpMethod(method) { this.method = method.toUpperCase(); }
	setEndpoint(url) { this.url = url; }
	setRequestBody(body) { this.body = body; }
	setRequestHeader(name, value) { this.headers[name] = value; }
	execute() { return fetch(this.url, this); }
} };
`

// The calls that make a script of a snippet. Arguments come by the environment.
const (
	callPython = "\nforce_reset(os.environ['ACCOUNT'], os.environ['REFERENCE'], os.environ['SINCE'])\n"
	callNode   = "\nconst e = process.env;\nforceReset(e.ACCOUNT, e.REFERENCE, e.SINCE, e.RESETD_URL, e.RESETD_KEY).then(answer => { process.exitCode = answer.ok ? 0 : 1; });\n"
)

func TestSnippetsAreVerifiedAsTheyStandInTheREADME(t *testing.T) {
	all := snippets(t)
	for name, c := range map[string]struct{ program, file, before, after string }{
		"Python python":         {"python3", "snippet.py", "", callPython},
		"JavaScript js":         {"node", "snippet.js", "", callNode},
		"ServiceNow js":         {"node", "snippet.js", glide, callNode},
		"sh sh":                 {"sh", "snippet.sh", "set -eu\n", ""},
		"PowerShell powershell": {}, // not run here, as the page says
		"A key of text sh":      {}, // another test runs it
	} {
		code := all[name]
		delete(all, name)
		if code == "" {
			t.Errorf("the README has no %s", name)
			continue
		}
		if c.program == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, program := range append([]string{c.program}, map[string][]string{"sh": {"openssl", "curl", "od"}}[c.program]...) {
				need(t, program)
			}
			dir := t.TempDir()
			write(t, filepath.Join(dir, c.file), c.before+code+c.after)
			body, err := schemas.Encode(schemas.Delivery{Type: schemas.EventResetRequested, Timestamp: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC),
				Data: schemas.Requests{Items: []schemas.Request{{Account: schemas.Account{Value: account}, Reference: reference}}}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "body.json"), string(body)) // for sh
			key := signature.GenerateSymmetric()
			s := listen(t, key)
			for range 2 {
				if out, err := run(t, dir, s.URL, key, c.program, c.file); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			if got, _ := s.heard(); len(got) != 2 || got[0] != got[1] {
				t.Errorf("twice the same request was %+v", got)
			}
			if _, err := run(t, dir, s.URL, signature.GenerateSymmetric(), c.program, c.file); err == nil {
				t.Error("with a wrong key it does not tell that resetd refused")
			}
			if _, got := s.heard(); len(got) != 1 || got[0] != signature.ReasonNoMatch {
				t.Errorf("a wrong key is refused as %q", got)
			}
		})
	}
	for name := range all {
		t.Errorf("the README's %s is run by no test", name)
	}
}

func TestAKeyOfTextIsAKey(t *testing.T) {
	need(t, "openssl")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key.sh"), "set -eu\n"+snippets(t)["A key of text sh"]+"echo \"$TEXT\"\n")
	out, err := run(t, dir, "", signature.Key{}, "sh", "key.sh")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	printed, text, _ := strings.Cut(strings.TrimSpace(out), "\n")
	key, err := signature.ParseKey(printed)
	if err != nil || len(text) < 32 {
		t.Fatalf("for the tool %q, for resetd: %v", text, err)
	}
	signed, err := signature.Sign([]signature.Key{key}, "msg_1", time.Unix(1795330800, 0), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(text))
	mac.Write([]byte("msg_1.1795330800.{}"))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signed.Signature != want {
		t.Errorf("the text signs as %s, the key as %s", want, signed.Signature)
	}
}

// taken is a delivery that was verified and understood.
type taken struct{ id, body string }

// listener does what resetd's hook does with a native body.
type listener struct {
	*httptest.Server
	mu      sync.Mutex
	taken   []taken
	refused []signature.Reason
}

func listen(t *testing.T, key signature.Key) *listener {
	t.Helper()
	verifier, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &listener{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		d, err := verifier.Verify(q.Header, body, time.Now())
		if err != nil {
			if e, ok := errors.AsType[*signature.Error](err); ok {
				s.refused = append(s.refused, e.Reason)
			}
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var got schemas.Delivery
		if p := schemas.Decode(body, &got); p != nil {
			t.Errorf("%s: %v", body, p)
		} else if r := got.Data.Items[0]; got.Type != schemas.EventResetRequested || r.Account.Value != account || r.Reference != reference ||
			got.Timestamp.Format(time.RFC3339) != since || q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s", q.Method, q.Header, body)
		}
		s.taken = append(s.taken, taken{d.ID, string(body)})
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s
}

// heard gives what was taken and why the rest was not.
func (s *listener) heard() ([]taken, []signature.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken), slices.Clone(s.refused)
}

// run runs a file in dir, with a small environment, and gives what it wrote.
func run(t *testing.T, dir, url string, key signature.Key, program, file string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, file)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
		"ACCOUNT=" + account, "REFERENCE=" + reference, "SINCE=" + since, "RESETD_URL=" + url}
	if !key.IsZero() {
		cmd.Env = append(cmd.Env, "RESETD_KEY="+key.Reveal())
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if testserver.Required("all") {
		t.Fatalf("RESETD_TEST_REQUIRE asks for all, and %s is not in PATH", program)
	}
	t.Skipf("%s is not in PATH: install it by your package manager", program)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
