package googleworkspace_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/deploy/testserver"
)

// discoveryModule holds Google's own descriptions of its interfaces. It is not built, only read.
const discoveryModule = "google.golang.org/api@v0.311.0"

// discovery is a description in Google's discovery format
// (https://developers.google.com/discovery/v1/reference/apis).
type discovery struct {
	Parameters map[string]parameter `json:"parameters"`
	Resources  map[string]resource  `json:"resources"`
	Schemas    map[string]schema    `json:"schemas"`

	methods []*method
}

type resource struct {
	Methods   map[string]*method  `json:"methods"`
	Resources map[string]resource `json:"resources"`
}

type method struct {
	ID         string               `json:"id"`
	HTTP       string               `json:"httpMethod"`
	Path       string               `json:"flatPath"`
	Parameters map[string]parameter `json:"parameters"`
	Request    schema               `json:"request"`
	Response   schema               `json:"response"`
	Scopes     []string             `json:"scopes"`
}

type parameter struct {
	Type     string   `json:"type"`
	Location string   `json:"location"`
	Required bool     `json:"required"`
	Enum     []string `json:"enum"`
	Minimum  string   `json:"minimum"`
	Maximum  string   `json:"maximum"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	ReadOnly   bool              `json:"readOnly"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Additional *schema           `json:"additionalProperties"`
}

// described gives the descriptions of the Directory API and of Cloud Identity, fetched once.
var described = sync.OnceValues(func() (both [2]*discovery, err error) {
	out, err := exec.Command("go", "mod", "download", "-json", discoveryModule).Output()
	var module struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &module); err != nil || jerr != nil || module.Dir == "" {
		return both, fmt.Errorf("go mod download: %v %s", err, module.Error)
	}
	for i, name := range []string{"admin/directory/v1/admin-api.json", "cloudidentity/v1/cloudidentity-api.json"} {
		text, err := os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(name)))
		if err != nil {
			return both, err
		}
		d := &discovery{}
		if err := json.Unmarshal(text, d); err != nil {
			return both, fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range d.Resources {
			d.collect(r)
		}
		both[i] = d
	}
	return both, nil
})

// descriptions gives them, or nil and one line where they cannot be had.
func descriptions(t testing.TB) [2]*discovery {
	t.Helper()
	both, err := described()
	switch {
	case err != nil && testserver.Required("google-discovery"):
		t.Fatalf("RESETD_TEST_REQUIRE asks for Google's discovery documents, and %s cannot be had: %v", discoveryModule, err)
	case err != nil:
		t.Logf("not checked against Google's own description: %s cannot be had (%v)", discoveryModule, err)
		return [2]*discovery{}
	}
	return both
}

func (d *discovery) collect(r resource) {
	for _, m := range r.Methods {
		d.methods = append(d.methods, m)
	}
	for _, below := range r.Resources {
		d.collect(below)
	}
}

// find gives the method for a request. A literal path goes before one with a parameter.
func (d *discovery) find(r *http.Request) *method {
	var found *method
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for _, m := range d.methods {
		if m.HTTP == r.Method && m.fits(path) && (found == nil || strings.Count(m.Path, "{") < strings.Count(found.Path, "{")) {
			found = m
		}
	}
	return found
}

func (m *method) fits(path []string) bool {
	pattern := strings.Split(m.Path, "/")
	if len(pattern) != len(path) {
		return false
	}
	for i, p := range pattern {
		if !strings.HasPrefix(p, "{") && p != path[i] || path[i] == "" {
			return false
		}
	}
	return true
}

// checkRequest holds a request against its method.
func (d *discovery) checkRequest(m *method, r *http.Request, body []byte) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	for name, values := range query {
		p, ok := m.Parameters[name]
		if !ok || p.Location != "query" {
			if p, ok = d.Parameters[name]; !ok {
				return fmt.Errorf("the query parameter %q is not described", name)
			}
		}
		for _, v := range values {
			if err := p.check(v); err != nil {
				return fmt.Errorf("the query parameter %s: %w", name, err)
			}
		}
	}
	for name, p := range m.Parameters {
		if p.Required && p.Location == "query" && !query.Has(name) {
			return fmt.Errorf("the query parameter %s is missing", name)
		}
	}
	if query.Has("fields") {
		if err := d.checkFields(query.Get("fields"), m.Response); err != nil {
			return fmt.Errorf("fields: %w", err)
		}
	}
	switch {
	case m.Request.Ref == "" && len(body) > 0:
		return errors.New("there is a body, and none is described")
	case m.Request.Ref == "":
		return nil
	case r.Header.Get("Content-Type") != "application/json":
		return fmt.Errorf("the content type is %q", r.Header.Get("Content-Type"))
	}
	return d.checkJSON(body, m.Request, true)
}

var numeral = regexp.MustCompile(`^-?[0-9]+$`)

func (p parameter) check(v string) error {
	switch {
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, v):
		return fmt.Errorf("%q is none of %v", v, p.Enum)
	case p.Type == "boolean" && v != "true" && v != "false", p.Type == "integer" && !numeral.MatchString(v):
		return fmt.Errorf("%q is no %s", v, p.Type)
	}
	if p.Type == "integer" {
		n, _ := strconv.Atoi(v)
		if low, err := strconv.Atoi(p.Minimum); err == nil && n < low {
			return fmt.Errorf("%d is less than %d", n, low)
		}
		if high, err := strconv.Atoi(p.Maximum); err == nil && n > high {
			return fmt.Errorf("%d is more than %d", n, high)
		}
	}
	return nil
}

// checkAnswer holds the answer of a success against its method, and any other against Google's form of an error.
func (d *discovery) checkAnswer(m *method, status int, body []byte) error {
	switch {
	case status >= 400:
		return checkError(status, body)
	case m.Response.Ref == "" && len(body) > 0:
		return errors.New("there is a body, and none is described")
	case m.Response.Ref == "":
		return nil
	}
	return d.checkJSON(body, m.Response, false)
}

// checkError holds an error document against the form that Google documents.
func checkError(status int, body []byte) error {
	var said struct {
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct{ Domain, Reason, Message string }
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return err
	}
	if said.Error.Code != status || said.Error.Message == "" || len(said.Error.Errors)+len(said.Error.Details) == 0 {
		return fmt.Errorf("the error document is not of Google's form: %s", body)
	}
	return nil
}

func (d *discovery) checkJSON(text []byte, s schema, request bool) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return d.checkValue("", v, s, request)
}

// checkValue holds a value against a schema. A property that is not described fails, and so does one in a request that
// only Google may set.
func (d *discovery) checkValue(at string, v any, s schema, request bool) error {
	readOnly := s.ReadOnly
	for s.Ref != "" {
		known, ok := d.Schemas[s.Ref]
		if !ok {
			return fmt.Errorf("%s: the description has no schema %s", at, s.Ref)
		}
		s = known
	}
	if request && (readOnly || s.ReadOnly) {
		return fmt.Errorf("%s: this may only be read", at)
	}
	wrong := fmt.Errorf("%s: %T is no %s %s", at, v, s.Type, s.Format)
	switch s.Type {
	case "any":
		return nil
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong
		}
	case "integer", "number":
		if n, ok := v.(float64); !ok || s.Type == "integer" && n != float64(int64(n)) {
			return wrong
		}
	case "string":
		text, ok := v.(string)
		if !ok || strings.HasSuffix(s.Format, "int64") && !numeral.MatchString(text) || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return wrong
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return wrong
		}
		for i, one := range list {
			if err := d.checkValue(fmt.Sprintf("%s[%d]", at, i), one, *s.Items, request); err != nil {
				return err
			}
		}
	case "object":
		object, ok := v.(map[string]any)
		if !ok {
			return wrong
		}
		for name, one := range object {
			below, ok := s.Properties[name]
			switch {
			case !ok && s.Additional == nil:
				return fmt.Errorf("%s: the property %q is not described", at, name)
			case !ok:
				below = *s.Additional
			}
			if err := d.checkValue(at+"/"+name, one, below, request); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s: the description has the type %q, which is not known here", at, s.Type)
	}
	return nil
}
