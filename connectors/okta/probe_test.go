package okta_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/connectors/okta"
	"github.com/resetd/resetd/schemas"
)

// probed gives what a probe finds.
func probed(t *testing.T, c *okta.Config) schemas.Capabilities {
	t.Helper()
	got, err := connect(t, c).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// says tells whether one of the texts has all the parts.
func says(texts []string, parts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
	})
}

func TestProbeNamesEachMissingPermission(t *testing.T) {
	t.Parallel()
	for _, permission := range []string{"okta.users.read", "okta.users.credentials.expirePassword", "okta.users.lifecycle.clearSessions"} {
		for _, how := range []settings{byToken, byApp} {
			o := newImitation(t)
			o.add(person{})
			delete(o.allowed, permission)
			got := probed(t, how(o, o.url))
			if len(got.Missing) == 0 || !says(got.Missing, permission, "Administrators") {
				t.Errorf("without %s: missing %q", permission, got.Missing)
			}
		}
	}
	o := newImitation(t)
	o.add(person{})
	delete(o.allowed, "okta.users.credentials.resetPassword")
	if got := probed(t, byApp(o, o.url)); len(got.Missing) > 0 || slices.Contains(got.Modes, schemas.ModeRecovery) || !says(got.Warn, "okta.users.credentials.resetPassword") {
		t.Errorf("without the right to start a recovery: %+v", got)
	}
}

func TestProbeNeedsToTellAdministrators(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.add(person{})
	o.roles = []string{"HELP_DESK_ADMIN"}
	if got := probed(t, byApp(o, o.url)); !says(got.Missing, "okta.iam.read", "check_roles: false") || !says(got.Warn, "cannot be read") {
		t.Errorf("%+v", got)
	}
	config := byApp(o, o.url)
	config.CheckRoles = false
	if got := probed(t, config); len(got.Missing) > 0 || !says(got.Warn, "check_roles is off") {
		t.Errorf("check_roles off: %+v", got)
	}
}

func TestProbeWarnsOfFarTooMuch(t *testing.T) {
	t.Parallel()
	for role, warned := range map[string]bool{"SUPER_ADMIN": true, "ORG_ADMIN": true, "CUSTOM": false} {
		for _, how := range []settings{byToken, byApp} {
			o := newImitation(t)
			o.roles = []string{role}
			got := probed(t, how(o, o.url))
			if says(got.Warn, role) != warned || len(got.Missing) > 0 {
				t.Errorf("%s: missing %q, warned %q", role, got.Missing, got.Warn)
			}
			if how(o, o.url).ClientID == "" && !says(got.Warn, "resetd@example.com") {
				t.Errorf("the owner of the token is not named: %q", got.Warn)
			}
		}
	}
}

func TestProbeNamesTheScopesThatAreNotGranted(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"okta.users.manage", "okta.users.read", "okta.roles.read"} {
		o := newImitation(t)
		o.app.scopes = slices.DeleteFunc(o.app.scopes, func(s string) bool { return s == scope })
		got := probed(t, byApp(o, o.url))
		if !says(got.Missing, scope, "Okta API Scopes") {
			t.Errorf("without %s: %q", scope, got.Missing)
		}
		for _, other := range o.app.scopes {
			if says(got.Missing, other) {
				t.Errorf("without %s: %s is granted, but said to be missing: %q", scope, other, got.Missing)
			}
		}
		if _, err := connect(t, byApp(o, o.url)).Resolve(t.Context(), short("nobody")); schemas.CodeOf(err) != schemas.CodePermissionMissing {
			t.Errorf("without %s: Resolve: %v", scope, err)
		}
	}
}

func TestProbeTellsWhatItSawOnTheWay(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	got := probed(t, byToken(o, o.url))
	if got.Clock.IsZero() || !strings.Contains(got.Limit, "600") || got.TLS == nil || got.TLS.Version != rest.PlainHere {
		t.Errorf("%+v", got)
	}
}

func TestProbeGoesOnWhereItsOwnPermissionsCannotBeRead(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.refuse["permissions"] = "E0000006"
	if got := probed(t, byApp(o, o.url)); len(got.Missing) > 0 || !says(got.Warn, "cannot be read") || len(got.Modes) != 3 {
		t.Errorf("%+v", got)
	}
}
