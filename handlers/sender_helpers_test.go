package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// keyed is a profile that says nothing but its keys.
func keyed(keys ...string) (p sender.Profile) {
	for _, k := range keys {
		p.Verify.Keys = append(p.Verify.Keys, schemas.NewSecret(k))
	}
	return p
}

// withSources puts other sources into the fixture.
func withSources(t testing.TB, list ...source.Config) func(*handlers.Deps) {
	t.Helper()
	set, err := source.New(list, schemas.NewValidator(), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(d *handlers.Deps) { d.Sources = set }
}

// signedAt signs a delivery anew, at another time.
func signedAt(t testing.TB, at time.Time, id, body string) func(*http.Request) {
	return func(r *http.Request) { sign(t, r.Header, id, at, body) }
}

// taken checks that a delivery was accepted.
func (a answer) taken(t testing.TB) {
	t.Helper()
	if a.StatusCode != http.StatusAccepted {
		t.Fatalf("got %d: %s", a.StatusCode, a.body)
	}
}

// senderProvocations gives a way to every status that is documented of other hooks than the native one, and of sources.
func senderProvocations(t *testing.T) []provoke {
	on := func(in string, do func(f *fixture) answer) func(*fixture) answer {
		return func(*fixture) answer {
			return do(newFixture(t, withSources(t, foreign(in, func(p *sender.Profile) { p.Handshake = []string{"okta-challenge"} }))))
		}
	}
	ask := func(path, challenge string) func(*fixture) answer {
		return func(f *fixture) answer {
			r := httptest.NewRequest(http.MethodGet, "/v1/hooks/siem"+path, nil)
			r.Header.Set("x-okta-verification-challenge", challenge)
			r.Header.Set("X-Secret", tokenSecret)
			return f.do(r)
		}
	}
	deliver := func(token, body string) func(*fixture) answer {
		return func(f *fixture) answer { return f.send("/"+token, body) }
	}
	const hook, hookToken, list = "/v1/hooks/{source}", "/v1/hooks/{source}/{token}", "GET /v1/sources"
	return []provoke{
		{"GET " + hook, 200, on("header", ask("", "c"))}, {"GET " + hook, 401, on("url", ask("", "c"))}, {"GET " + hook, 405, on("header", ask("", ""))},
		{"GET " + hookToken, 200, on("url", ask("/"+tokenSecret, "c"))}, {"GET " + hookToken, 401, on("url", ask("/x", "c"))}, {"GET " + hookToken, 405, on("url", ask("/"+tokenSecret, ""))},
		{"POST " + hookToken, 202, on("url", deliver(tokenSecret, `{"user":"a@example.com"}`))}, {"POST " + hookToken, 401, on("url", deliver("x", "{}"))},
		{"POST " + hookToken, 422, on("url", deliver(tokenSecret, "{}"))},
		{"POST " + hook, 429, func(*fixture) answer {
			f := newFixture(t, withSources(t, source.Config{Name: "soar", Preset: "native", Profile: keyed(soarKey), Limits: source.Limits{Deliveries: source.Rate{Count: 1, Per: time.Hour}}}))
			f.deliver("msg_1", native(good))
			return f.deliver("msg_2", native(good))
		}},
		{list, 200, func(f *fixture) answer { return f.call(http.MethodGet, "/v1/sources", viewerToken, "") }},
		{list, 401, func(f *fixture) answer { return f.call(http.MethodGet, "/v1/sources", "", "") }},
		{list, 422, func(f *fixture) answer { return f.call(http.MethodGet, "/v1/sources?a=b", viewerToken, "") }},
	}
}
