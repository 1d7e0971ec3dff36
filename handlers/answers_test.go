package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

// lateBody is a body that does not arrive in time.
type lateBody struct{}

func (lateBody) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// provoke makes a fixture give one documented status at one call.
type provoke struct {
	call   string // method and path as in openapi.yaml
	status int
	do     func(f *fixture) answer
}

func failReady(context.Context) error { return errors.New("the ledger does not answer") }

func (f *fixture) failing(err error) *fixture {
	f.tasks.fail, f.history.fail, f.callbacks.fail = err, err, err
	return f
}

// provocations gives a way to every status that openapi.yaml documents.
func provocations(t *testing.T) []provoke {
	ok := native(good)
	hook := func(status int, body string, change ...func(*http.Request)) provoke {
		return provoke{"POST /v1/hooks/{source}", status, func(f *fixture) answer { return f.deliver("msg_1", body, change...) }}
	}
	submit := func(status int, token, body string, change ...func(*http.Request)) provoke {
		return provoke{"POST /v1/tasks", status, func(f *fixture) answer {
			r := httptest.NewRequest("POST", "/v1/tasks", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			for _, c := range change {
				c(r)
			}
			return f.do(r)
		}}
	}
	api := func(call string, status int, target, token string) provoke {
		method, _, _ := strings.Cut(call, " ")
		return provoke{call, status, func(f *fixture) answer { return f.call(method, target, token, "") }}
	}
	with := func(err error, p provoke) provoke {
		return provoke{p.call, p.status, func(f *fixture) answer { return p.do(f.failing(err)) }}
	}
	late := func(r *http.Request) { r.Body = io.NopCloser(lateBody{}) }
	large := func(r *http.Request) { r.ContentLength = handlers.MaxBody + 1 }
	form := header("Content-Type", "text/plain")

	all := []provoke{
		hook(202, ok), hook(400, "{"), hook(401, ok, header("webhook-id")), with(schemas.ErrForbidden, hook(403, ok)),
		hook(404, ok, func(r *http.Request) { r.URL.Path = "/v1/hooks/stranger" }), hook(408, ok, late), hook(413, ok, large),
		hook(415, ok, form), hook(422, native(`{}`)), with(schemas.ErrOverloaded, hook(503, ok)),

		submit(202, operatorToken, good), submit(400, operatorToken, "{"), submit(401, "", good), submit(403, viewerToken, good),
		submit(408, operatorToken, good, late), submit(413, operatorToken, good, large), submit(415, operatorToken, good, form),
		submit(422, operatorToken, "{}"), with(schemas.ErrOverloaded, submit(503, operatorToken, good)),

		api("GET /healthz", 200, "/healthz", ""), api("GET /readyz", 200, "/readyz", ""), api("GET /openapi.yaml", 200, "/openapi.yaml", ""),
		api("GET /metrics", 200, "/metrics", viewerToken), api("GET /metrics", 401, "/metrics", ""),
		{"GET /readyz", 503, func(*fixture) answer {
			return newFixture(t, func(d *handlers.Deps) { d.Ready = failReady }).call("GET", "/readyz", "", "")
		}},
	}
	for _, r := range []struct {
		call, known, unknown, wrong string
		token                       string
		status                      int
	}{
		{"GET /v1/tasks", "/v1/tasks", "", "/v1/tasks?limit=0", viewerToken, 200},
		{"GET /v1/tasks/{id}", "/v1/tasks/known", "/v1/tasks/other", "/v1/tasks/known?wait=x", viewerToken, 200},
		{"GET /v1/tasks/{id}/events", "/v1/tasks/known/events", "/v1/tasks/other/events", "/v1/tasks/known/events?a=b", viewerToken, 200},
		{"POST /v1/tasks/{id}/cancel", "/v1/tasks/known/cancel", "/v1/tasks/../cancel", "", operatorToken, 200},
		{"POST /v1/tasks/{id}/retry", "/v1/tasks/known/retry", "/v1/tasks/../retry", "", operatorToken, 202},
		{"GET /v1/callbacks", "/v1/callbacks", "", "/v1/callbacks?a=b", viewerToken, 200},
		{"POST /v1/callbacks/{id}/redeliver", "/v1/callbacks/known/redeliver", "/v1/callbacks/other/redeliver", "", operatorToken, 202},
	} {
		all = append(all, api(r.call, r.status, r.known, r.token), api(r.call, 401, r.known, ""),
			with(schemas.ErrOverloaded, api(r.call, 503, r.known, r.token)))
		if r.unknown != "" {
			all = append(all, api(r.call, 404, r.unknown, r.token))
		}
		if r.wrong != "" {
			all = append(all, api(r.call, 422, r.wrong, r.token))
		} else { // a decision
			all = append(all, api(r.call, 403, r.known, viewerToken), with(schemas.ErrState, api(r.call, 409, r.known, r.token)))
		}
	}
	return slices.Concat(all, senderProvocations(t), systemProvocations())
}

func TestEveryDocumentedStatusIsReallyAnsweredAsDocumented(t *testing.T) {
	var documented, answered []string
	for path, item := range loadContract(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if status != "default" {
					documented = append(documented, fmt.Sprintf("%s %s %s", method, path, status))
				}
			}
		}
	}
	for _, p := range provocations(t) {
		a := p.do(newFixture(t)) // which holds the answer against the document
		if a.StatusCode != p.status {
			t.Errorf("%s: %d, want %d: %s", p.call, a.StatusCode, p.status, a.body)
		}
		answered = append(answered, fmt.Sprintf("%s %d", p.call, p.status))
	}
	slices.Sort(documented)
	slices.Sort(answered)
	if !slices.Equal(documented, answered) {
		t.Errorf("documented:\n%s\nanswered:\n%s", strings.Join(documented, "\n"), strings.Join(answered, "\n"))
	}
}
