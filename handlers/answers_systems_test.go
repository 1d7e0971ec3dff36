package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

// systemProvocations gives a way to every status that openapi.yaml documents for systems and accounts.
func systemProvocations() []provoke {
	var all []provoke
	for _, r := range []struct {
		call, path string
		need, less string // tokens; less is empty where every token will do
		body       string
		asks       bool // the systems, and so at a bounded pace; else the ledger
	}{
		{call: "GET /v1/systems", path: "/v1/systems", need: viewerToken},
		{call: "GET /v1/systems/{name}", path: "/v1/systems/{name}", need: viewerToken},
		{call: "POST /v1/systems/{name}/check", path: "/v1/systems/{name}/check", need: operatorToken, less: viewerToken, asks: true},
		{call: "PUT /v1/systems/{name}/enforcement", path: "/v1/systems/{name}/enforcement", need: adminToken, less: operatorToken,
			body: `{"permission":"granted"}`},
		{call: "DELETE /v1/systems/{name}/enforcement", path: "/v1/systems/{name}/enforcement", need: adminToken, less: operatorToken},
		{call: "GET /v1/accounts", path: "/v1/accounts?q=jdoe", need: operatorToken, less: viewerToken, asks: true},
	} {
		method, _, _ := strings.Cut(r.call, " ")
		with := func(status int, token, name, more, body string, change ...func(*fixture, *http.Request)) {
			all = append(all, provoke{r.call, status, func(f *fixture) answer {
				q := httptest.NewRequest(method, strings.Replace(r.path, "{name}", name, 1)+more, strings.NewReader(body))
				if token != "" {
					q.Header.Set("Authorization", "Bearer "+token)
				}
				for _, c := range change {
					c(f, q)
				}
				return f.do(q)
			}})
		}
		wrong := "?a=b"
		if strings.Contains(r.path, "?") {
			wrong = "&a=b"
		}
		with(200, r.need, "corp-ldap", "", r.body)
		with(401, "", "corp-ldap", "", r.body)
		with(422, r.need, "corp-ldap", wrong, r.body)
		if r.less != "" {
			with(403, r.less, "corp-ldap", "", r.body)
		}
		if strings.Contains(r.path, "{name}") {
			with(404, r.need, "nowhere", "", r.body)
		}
		if r.asks {
			with(429, r.need, "corp-ldap", "", r.body, func(f *fixture, _ *http.Request) {
				for range 20 {
					f.call("GET", "/v1/accounts?q=jdoe", r.need, "")
				}
			})
		} else {
			with(503, r.need, "corp-ldap", "", r.body, func(f *fixture, _ *http.Request) { f.portal.fail = schemas.ErrOverloaded })
		}
		if method == "PUT" {
			with(400, r.need, "corp-ldap", "", "{")
			with(408, r.need, "corp-ldap", "", r.body, func(_ *fixture, q *http.Request) { q.Body = late{} })
			with(413, r.need, "corp-ldap", "", r.body, func(_ *fixture, q *http.Request) { q.ContentLength = handlers.MaxBody + 1 })
			with(415, r.need, "corp-ldap", "", r.body, func(_ *fixture, q *http.Request) { q.Header.Set("Content-Type", "text/plain") })
		}
	}
	return all
}

// late is a body that does not arrive in time.
type late struct{ lateBody }

func (late) Close() error { return nil }
