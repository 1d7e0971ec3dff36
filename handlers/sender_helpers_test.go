package handlers_test

import (
	"net/http"
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
