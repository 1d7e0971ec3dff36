package source_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// published says what a published body of a sender must become. There is one file for each in testdata/payloads, under
// the body's own name; the bodies themselves are no part of this repository.
type published struct {
	Preset  string            `json:"preset"`
	Source  map[string]any    `json:"source"`
	Headers map[string]string `json:"headers"`
	// Wrap is what stands around the published object in a delivery, with "BODY" in its place, where only the object was
	// published; Form is the field of the form that carries it.
	Wrap   json.RawMessage `json:"wrap"`
	Form   string          `json:"form"`
	Now    time.Time       `json:"now"`
	Why    string          `json:"why"` // for people
	Expect expectation     `json:"expect"`
}

// payloads gives the folder with published bodies, or skips.
func payloads(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RESETD_TEST_PAYLOADS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "payloads")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("published bodies are missing: name their folder in RESETD_TEST_PAYLOADS")
	}
	return dir
}

func TestPublishedBodiesBecomeTheRightAccountOrAreRefused(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(payloads(t), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no published bodies")
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "signature-vectors.json" {
			continue
		}
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join("testdata", "payloads", name))
			if err != nil {
				t.Fatalf("nothing is said about this body: %v", err)
			}
			var p published
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			p.hold(t, body)
		})
	}
}

func (p published) hold(t *testing.T, body []byte) {
	t.Helper()
	if len(p.Wrap) > 0 {
		body = bytes.Replace(p.Wrap, []byte(`"BODY"`), body, 1)
	}
	if p.Form != "" {
		body = []byte(url.Values{p.Form: {string(body)}}.Encode())
	}
	s, err := source.Preview(source.Config{Name: "sender", Preset: p.Preset, Profile: profile(t, p.Source)}, schemas.NewValidator())
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range p.Headers {
		h.Set(name, value)
	}
	now := p.Now
	if now.IsZero() {
		now = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	}
	m, problem := s.Map(t.Context(), h, verify.Proof{Payload: body}, now)
	p.Expect.hold(t, m, problem)
}
