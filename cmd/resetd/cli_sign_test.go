package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

const signedBody = "{\"type\": \"x\"}\n"

// verifies checks that the three headers hold for the body.
func verifies(t *testing.T, key signature.Key, h http.Header, body string, now time.Time) signature.Delivery {
	t.Helper()
	v, err := signature.NewVerifier([]signature.Key{key}, signature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := v.Verify(h, []byte(body), now)
	if err != nil {
		t.Fatalf("%v: %v", h, err)
	}
	return d
}

func TestSignedHeadersHoldInEveryFormat(t *testing.T) {
	symmetric := signature.GenerateSymmetric()
	private, public := signature.GenerateAsymmetric()
	for _, keys := range [][2]signature.Key{{symmetric, symmetric}, {private, public}} {
		t.Setenv("TEST_KEY", keys[0].Reveal())
		file := filepath.Join(t.TempDir(), "test.key")
		if err := os.WriteFile(file, []byte(keys[0].Reveal()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{"${TEST_KEY}", "file:" + file} {
			h := http.Header{}
			r := resetd(signedBody, "sign", "--key", ref)
			r.want(t, exitOK, "webhook-signature: v1", "")
			r.quiet(t, keys[0].Reveal())
			got, err := textproto.NewReader(bufio.NewReader(strings.NewReader(r.out + "\n"))).ReadMIMEHeader()
			if err != nil {
				t.Fatal(err)
			}
			verifies(t, keys[1], http.Header(got), signedBody, time.Now())

			words := strings.Fields(resetd(signedBody, "sign", "--key", ref, "--format", "curl", "--id", "msg_7").out)
			for i := 0; i < len(words); i += 2 {
				name, value, ok := strings.Cut(words[i+1], ":")
				if words[i] != "-H" || !ok || strings.ContainsAny(words[i+1], "'\"$*? ") {
					t.Fatalf("a shell would not take %q", words)
				}
				h.Set(name, value)
			}
			if got := h.Get("Content-Type"); got != "application/json" {
				t.Fatalf("curl would send it as %q", got)
			}
			if d := verifies(t, keys[1], h, signedBody, time.Now()); d.ID != "msg_7" {
				t.Fatalf("id: %s", d.ID)
			}

			var object map[string]string
			if err := json.Unmarshal([]byte(resetd(signedBody, "sign", "--key", ref, "--format", "json", "--timestamp", "2026-11-22T07:00:00Z").out), &object); err != nil {
				t.Fatal(err)
			}
			h = http.Header{}
			for name, value := range object {
				h.Set(name, value)
			}
			at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
			if d := verifies(t, keys[1], h, signedBody, at); !d.Timestamp.Equal(at) {
				t.Fatalf("time: %s", d.Timestamp)
			}
		}
	}
}

func TestEachMessageGetsAnIDOfItsOwn(t *testing.T) {
	t.Setenv("TEST_KEY", signature.GenerateSymmetric().Reveal())
	first, _, _ := strings.Cut(resetd("", "sign", "--key", "${TEST_KEY}").out, "\n")
	second, _, _ := strings.Cut(resetd("", "sign", "--key", "${TEST_KEY}").out, "\n")
	if first == second || !strings.HasPrefix(first, "webhook-id: msg_") {
		t.Fatalf("%s, %s", first, second)
	}
}

func TestAKeyInTheCommandLineIsRefusedAndNotRepeated(t *testing.T) {
	key := signature.GenerateSymmetric().Reveal()
	for _, args := range [][]string{{"sign", "--key", key}, {"send", "--source", "soar", "--account", "a", "--key", key}, {"tasks", "list", "--token", key}} {
		r := resetd("", args...)
		r.want(t, exitUsage, "", "file:PATH or '${ENV}'")
		r.quiet(t, key, key[10:30])
	}
}

func TestWhatCannotBeSignedWithIsTold(t *testing.T) {
	_, public := signature.GenerateAsymmetric()
	t.Setenv("PUBLIC_KEY", public.Reveal())
	t.Setenv("NO_KEY", "hunter2-hunter2-hunter2")
	t.Setenv("GOOD_KEY", signature.GenerateSymmetric().Reveal())
	for line, want := range map[string]string{
		"--key ${PUBLIC_KEY}":                "whsk_",
		"--key ${NO_KEY}":                    "whsec_",
		"--key ${GOOD_KEY} --id a.b":         "full stop",
		"--key ${GOOD_KEY} --timestamp soon": "this is no time",
		"--key ${GOOD_KEY} --timestamp 5":    "clock",
		"--key ${GOOD_KEY} --format xml":     "headers, curl or json",
	} {
		r := resetd(signedBody, append([]string{"sign"}, strings.Fields(line)...)...)
		r.want(t, exitUsage, "", want)
		r.quiet(t, "hunter2", os.Getenv("GOOD_KEY"))
	}
}
