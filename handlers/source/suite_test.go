package source_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// vector lies beside each preset: one delivery of its sample body, with its proof, and what it must become. It was made by
// something else than this program wherever that is possible.
type vector struct {
	Source  map[string]any    `json:"source"` // what the configuration says, in its words and without keys
	Keys    []string          `json:"keys"`
	Now     time.Time         `json:"now"`
	From    string            `json:"from"`
	Token   string            `json:"token"` // of the URL
	Headers map[string]string `json:"headers"`
	ID      string            `json:"id"`   // the idempotency key that the proof gives
	Also    []string          `json:"also"` // other names of the same accounts, which may come out where a field is missing
	Expect  expectation       `json:"expect"`
}

// trial is a further body of a sender, without a proof. Its kind of file is PRESET.cases.json.
type trial struct {
	Name    string            `json:"name"`
	Source  map[string]any    `json:"source"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Raw     string            `json:"raw"` // in place of body, what is no JSON
	Now     time.Time         `json:"now"`
	Expect  expectation       `json:"expect"`
}

// expectation is what must come of a delivery: requests, nothing for a reason, or a refusal.
type expectation struct {
	Requests []expected `json:"requests"`
	Ignored  string     `json:"ignored"` // a part of the reason
	Refused  string     `json:"refused"` // the name of the problem
	Says     string     `json:"says"`    // a part of the refusal's details
}

type expected struct {
	Account     string `json:"account"`
	Type        string `json:"type"`
	Reference   string `json:"reference"`
	Description string `json:"description"`
	OccurredAt  string `json:"occurred_at"`
}

// hold compares what came of a delivery with what was expected.
func (e expectation) hold(t *testing.T, m source.Mapped, p *schemas.Problem) {
	t.Helper()
	switch {
	case e.Refused != "":
		if p == nil {
			t.Errorf("taken as %+v, want it refused as %s", m.Requests, e.Refused)
			return
		}
		text := p.Error()
		for _, f := range p.Errors {
			text += "\n" + f.Pointer + " " + f.Detail
		}
		if p.Type != "urn:resetd:problem:"+e.Refused || !strings.Contains(text, e.Says) {
			t.Errorf("refused by %s, want %s with %q", text, e.Refused, e.Says)
		}
		return
	case p != nil:
		t.Errorf("refused: %s %+v", p, p.Errors)
		return
	case e.Ignored != "" && (len(m.Requests) > 0 || !strings.Contains(m.Ignored, e.Ignored)):
		t.Errorf("got %+v, ignored for %q; want it ignored for %q", m.Requests, m.Ignored, e.Ignored)
	case e.Ignored == "" && m.Ignored != "":
		t.Errorf("ignored for %q", m.Ignored)
	}
	if len(m.Requests) != len(e.Requests) {
		t.Errorf("got %+v, want %d requests", m.Requests, len(e.Requests))
		return
	}
	for i, want := range e.Requests {
		got := m.Requests[i]
		if got.Account.Value != want.Account || want.Type != "" && string(got.Account.Type) != want.Type {
			t.Errorf("request %d is for %s (%s), want %s (%s)", i, got.Account.Value, got.Account.Type, want.Account, want.Type)
		}
		if want.Reference != "" && got.Reference != want.Reference {
			t.Errorf("request %d has the reference %q, want %q", i, got.Reference, want.Reference)
		}
		if !strings.Contains(got.Description, want.Description) {
			t.Errorf("request %d has the description %q, want %q in it", i, got.Description, want.Description)
		}
		if want.OccurredAt != "" && got.OccurredAt.UTC().Format(time.RFC3339) != want.OccurredAt {
			t.Errorf("request %d occurred at %s, want %s", i, got.OccurredAt.UTC(), want.OccurredAt)
		}
	}
}

// profile reads what a configuration says, in its words.
func profile(t *testing.T, words map[string]any, keys ...string) sender.Profile {
	t.Helper()
	text, err := yaml.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	var p sender.Profile
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		p.Verify.Keys = append(p.Verify.Keys, schemas.NewSecret(k))
	}
	return p
}

// open makes one source of a preset.
func open(t *testing.T, c source.Config) *source.Source {
	t.Helper()
	c.Name = "sender"
	set, err := source.New([]source.Config{c}, schemas.NewValidator(), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, known := set.Find("sender")
	if !known {
		t.Fatal("the source is not found")
	}
	return s
}

// readFiles reads what lies beside a preset.
func readFiles(t *testing.T, preset string) (v vector, sample []byte, cases []trial) {
	t.Helper()
	decode := func(file string, into any) bool {
		text, err := os.ReadFile(filepath.Join("presets", file))
		if err != nil {
			return false
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		return true
	}
	if !decode(preset+".vector.json", &v) {
		t.Fatalf("preset %s has no vector", preset)
	}
	decode(preset+".cases.json", &cases)
	found, err := filepath.Glob(filepath.Join("presets", preset+".sample.*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("preset %s must have one sample body; it has %v", preset, found)
	}
	if sample, err = os.ReadFile(found[0]); err != nil {
		t.Fatal(err)
	}
	return v, sample, cases
}

// delivery is the vector as it arrives.
func (v vector) delivery(t *testing.T, body []byte) *verify.Delivery {
	t.Helper()
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	d := &verify.Delivery{Method: http.MethodPost, Path: "/v1/hooks/sender", Header: h, Body: body, Token: v.Token}
	if v.From != "" {
		d.Client = netip.MustParseAddr(v.From)
		d.Peer = d.Client
	}
	return d
}
