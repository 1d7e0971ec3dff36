package signature_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/schemas/signature"
)

// templateVector is one entry of testdata/templates.json: a delivery of a kind of sender, signed with Python's hmac
// module and checked again by node:crypto where Node is installed.
type templateVector struct {
	Name         string            `json:"name"`
	RawTemplate  json.RawMessage   `json:"template"`
	Key          string            `json:"key"`
	Method       string            `json:"method"`
	Path         string            `json:"path"`
	Headers      map[string]string `json:"headers"`
	Body         string            `json:"body"`
	BodyBase64   []byte            `json:"body_base64"`
	ID           string            `json:"id"`
	Clock        int64             `json:"clock"`
	Milliseconds int64             `json:"clock_ms"`
	Others       bool              `json:"others"` // the header holds more than SignTemplate would write, or another spelling
}

func (v templateVector) template(t testing.TB) signature.Template {
	t.Helper()
	var out signature.Template
	if err := yaml.UnmarshalWithOptions(v.RawTemplate, &out, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return out
}

func (v templateVector) at() time.Time {
	return time.Unix(v.Clock, v.Milliseconds*int64(time.Millisecond))
}

// request returns a delivery of its own each time, so that tests may spoil it.
func (v templateVector) request() signature.TemplateRequest {
	r := signature.TemplateRequest{Method: v.Method, Path: v.Path, Header: http.Header{}, Body: []byte(v.Body)}
	if v.BodyBase64 != nil {
		r.Body = slices.Clone(v.BodyBase64)
	}
	for name, value := range v.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func templateVectors(t testing.TB) []templateVector {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "templates.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vs []templateVector
	if err := json.Unmarshal(raw, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) < 20 {
		t.Fatalf("only %d vectors", len(vs))
	}
	return vs
}

func templateVectorOf(t testing.TB, name string) templateVector {
	t.Helper()
	for _, v := range templateVectors(t) {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("no vector %q", name)
	return templateVector{}
}

// payloads returns a file of the folder that lies beside the project, where it is; a clone of the project alone does
// not have it.
func payloads(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("RESETD_TEST_PAYLOADS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "payloads")
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("missing: %s in shared/payloads beside the project, or in $RESETD_TEST_PAYLOADS", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustTemplate(t testing.TB, template signature.Template, keys ...string) *signature.TemplateVerifier {
	t.Helper()
	v, err := signature.NewTemplateVerifier(template, keys, signature.TemplateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// usedHeaders are those that must be there exactly once, read off the fields and not by the package's own code.
func usedHeaders(template signature.Template) []string {
	names := []string{template.SignatureHeader}
	if template.TimestampHeader != "" {
		names = append(names, template.TimestampHeader)
	}
	if template.SignsID() {
		names = append(names, template.IDHeader)
	}
	for _, m := range regexp.MustCompile(`\{header:([^}]*)\}`).FindAllStringSubmatch(template.ContentTemplate, -1) {
		names = append(names, m[1])
	}
	names = append(names, template.RequiredHeaders...)
	for i := range names {
		names[i] = http.CanonicalHeaderKey(names[i])
	}
	return names
}

// headers puts names and values together.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}
