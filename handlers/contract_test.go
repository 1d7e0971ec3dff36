package handlers_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/resetd/resetd/schemas"
)

// contract is openapi.yaml, ready to hold calls against it.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

// theContract is loaded once; every call that a fixture makes is held against it.
var theContract = sync.OnceValues(func() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(schemas.OpenAPI())
	if err != nil {
		return nil, err
	}
	router, err := legacy.NewRouter(doc)
	return &contract{doc, router}, err
})

func loadContract(t testing.TB) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatalf("openapi.yaml cannot be read: %v", err)
	}
	return c
}

var contractOptions = &openapi3filter.Options{
	IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
}

// hold fails the test when an answer is not as openapi.yaml has it, or a request was accepted that is not.
func (c *contract) hold(t testing.TB, r *http.Request, body []byte, a answer) {
	t.Helper()
	find := r.Clone(context.Background())
	if find.Method == http.MethodHead {
		find.Method = http.MethodGet
	}
	route, params, err := c.router.FindRoute(find)
	if err != nil || strings.HasSuffix(find.URL.Path, "/") { // the router forgives a slash, the face does not
		if p := a.problem(t); p.Status != 404 && p.Status != 405 && p.Status != 413 {
			t.Errorf("%s %s: %d on a path that is not documented", r.Method, r.URL.Path, p.Status)
		}
		return
	}
	find.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{Request: find, PathParams: params, Route: route, Options: contractOptions}
	if a.StatusCode < 300 {
		if find.Header.Get("Content-Type") == "" && len(body) > 0 {
			find.Header.Set("Content-Type", "application/json") // it may be left out
		}
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s %s was accepted, and is not as documented: %v", r.Method, r.URL, err)
		}
	}
	if r.Method == http.MethodHead || a.StatusCode == 499 {
		return
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.StatusCode, Header: a.Header, Options: contractOptions}
	if err := openapi3filter.ValidateResponse(t.Context(), out.SetBodyBytes([]byte(a.body))); err != nil {
		t.Errorf("%s %s: the answer %d is not as documented: %v\n%s", r.Method, r.URL, a.StatusCode, err, a.body)
	}
	if a.StatusCode >= 400 {
		c.named(t, route, a)
	}
}

// named demands that the problem is named where the status is documented.
func (c *contract) named(t testing.TB, route *routers.Route, a answer) {
	t.Helper()
	name := strings.TrimPrefix(a.problem(t).Type, "urn:resetd:problem:")
	res := route.Operation.Responses.Status(a.StatusCode)
	if res == nil {
		res = route.Operation.Responses.Default()
	}
	if !strings.Contains(*res.Value.Description, "`"+name+"`") {
		t.Errorf("%s %s: problem %s is not named at status %d", route.Method, route.Path, name, a.StatusCode)
	}
}

// recordBody lets a request's body be seen after it was read.
func recordBody(r *http.Request) *bytes.Buffer {
	var seen bytes.Buffer
	if r.Body != nil {
		r.Body = io.NopCloser(io.TeeReader(r.Body, &seen))
	}
	return &seen
}
