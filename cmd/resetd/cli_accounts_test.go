package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestAccountsShowsEverySystemAndWhatAResetWouldMeet(t *testing.T) {
	f := newFakeAPI(t)
	profile := func(p schemas.Profile) *schemas.Profile { return &p }
	found := func(system string, permission schemas.Permission, p schemas.Profile) schemas.Sighting {
		return schemas.Sighting{System: system, Kind: "openldap", State: schemas.SightingFound, Code: schemas.CodeOK, Permission: permission,
			Identity: &schemas.Identity{ID: "id", Name: "uid=jdoe\x1b[2J"}, Profile: profile(p)}
	}
	f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path != "/v1/accounts" {
			return false
		}
		if r.URL.Query().Get("q") != "EXAMPLE\\jdoe" || r.URL.Query().Get("type") != string(schemas.AccountDownLevel) {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		reply(w, http.StatusOK, schemas.AccountReport{Systems: []schemas.Sighting{
			found("a", schemas.PermissionGranted, schemas.Profile{Origin: schemas.OriginNative, Enabled: true, PasswordChangedAt: time.Now()}),
			found("b", schemas.PermissionNotGranted, schemas.Profile{Origin: schemas.OriginNative}),
			found("c", schemas.PermissionGranted, schemas.Profile{Origin: schemas.OriginSynced}),
			found("d", schemas.PermissionGranted, schemas.Profile{Origin: schemas.OriginNative, Privileged: true, Protected: true, ProtectedBecause: "Domain Admins"}),
			{System: "e", State: schemas.SightingFailed, Code: schemas.CodeUnavailable, Detail: "nobody listens"},
		}})
		return true
	}
	r := resetd("", "accounts", "-c", f.site(t), `EXAMPLE\jdoe`)
	if r.status != exitOK || strings.Contains(r.out, "\x1b") {
		t.Fatalf("status %d: %q %s", r.status, r.out, r.err)
	}
	for line, want := range map[string]string{"a ": "possible", "b ": "not permitted", "c ": "at its source", "d ": "protected", "d:": "Domain Admins", "e:": "nobody listens"} {
		ok := false
		for got := range strings.Lines(r.out) {
			ok = ok || strings.HasPrefix(got, line) && strings.Contains(got, want)
		}
		if !ok {
			t.Errorf("no line %q with %q in\n%s", line, want, r.out)
		}
	}
	resetd("", "accounts", "-c", f.site(t), "sid:nonsense").want(t, exitUsage, "", "SID")
}
