// Package vendorapi holds imitations of vendors' services against the vendors' own descriptions of their interfaces, so
// that an imitation cannot take what the real service would refuse, or give what it would never give. Only tests import it.
package vendorapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Folder finds where the vendors' descriptions lie: RESETD_TEST_CONTRACTS, or ../shared/contracts beside the module. It is
// empty where there is none.
func Folder() string {
	if dir := os.Getenv("RESETD_TEST_CONTRACTS"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			found := filepath.Join(dir, "..", "shared", "contracts")
			if _, err := os.Stat(found); err == nil {
				return found
			}
			return ""
		}
	}
	return ""
}

// Load reads an OpenAPI description out of the folder. Without the folder it says in one line what is not checked, and
// gives nil, which Check takes.
func Load(t testing.TB, name string) *openapi3.T {
	t.Helper()
	dir := Folder()
	if dir == "" {
		t.Logf("not checked against the vendor's description: %s is not there; RESETD_TEST_CONTRACTS may name its folder", name)
		return nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatalf("the vendor's description %s: %v", name, err)
	}
	return doc
}

// Check puts a description before an imitation: a request that it does not allow fails the test and is answered with 599,
// and so is an answer that it does not describe. Paths are those of the description behind the base ("/v1.0"). Where skip
// gives true a request goes by unchecked, for paths that are not in the description.
func Check(t testing.TB, doc *openapi3.T, base string, skip func(*http.Request) bool, next http.Handler) http.Handler {
	t.Helper()
	if doc == nil {
		return next
	}
	doc.Servers = openapi3.Servers{{URL: base}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatalf("the vendor's description has no usable paths: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if skip != nil && skip(r) {
			next.ServeHTTP(w, r)
			return
		}
		answer, err := exchange(router, r, next)
		if err != nil {
			t.Errorf("%s %s is not what the vendor describes: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(599)
			return
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// exchange checks the request, lets the imitation answer it, and checks that.
func exchange(router routers.Router, r *http.Request, next http.Handler) (*httptest.ResponseRecorder, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	allowed := map[string]bool{}
	for _, in := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range in {
			if p.Value.In == "query" {
				allowed[p.Value.Name] = true
			}
		}
	}
	for name := range r.URL.Query() {
		if !allowed[name] {
			return nil, fmt.Errorf("the query parameter %q is not described", name)
		}
	}
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: answer.Code, Header: answer.Header(), Options: input.Options}
	output.SetBodyBytes(answer.Body.Bytes())
	if err := openapi3filter.ValidateResponse(context.Background(), output); err != nil {
		return nil, fmt.Errorf("answer %d: %w", answer.Code, err)
	}
	return answer, nil
}
