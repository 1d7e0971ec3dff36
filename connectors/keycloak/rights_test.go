package keycloak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestAdministratorsArePrivilegedHoweverTheyCameByTheirRoles(t *testing.T) {
	s := newSite(t, "view-users", "manage-users", "view-clients")
	plain, boss, byGroup, byRole := s.somebody(), s.somebody(), s.somebody(), s.somebody()
	s.Grant(boss.ID, "realm-admin")
	s.group(unique("admins"), byGroup.ID, "manage-users")
	support := unique("support")
	s.Call(http.MethodPost, "/roles", map[string]any{"name": support}, nil)
	s.Call(http.MethodPost, "/roles/"+support+"/composites", s.Roles("impersonation"), nil)
	var role map[string]any
	s.Call(http.MethodGet, "/roles/"+support, nil, &role)
	s.Call(http.MethodPost, "/users/"+byRole.ID+"/role-mappings/realm", []any{role}, nil)

	c := open(t, s.config())
	for id, want := range map[string]bool{plain.ID: false, boss.ID: true, byGroup.ID: true, byRole.ID: true} {
		if class := classify(t, c, id); class.Privileged != want {
			t.Errorf("%+v, want privileged %t", class, want)
		}
	}
	// Without view-clients Keycloak shows the roles of groups alone, and the probe says so.
	few := newLesserClient(t, s, "view-users", "manage-users")
	for id, want := range map[string]bool{plain.ID: false, boss.ID: false, byGroup.ID: true} {
		if class := classify(t, few, id); class.Privileged != want {
			t.Errorf("without view-clients: %+v, want privileged %t", class, want)
		}
	}
	if got := probe(t, few); !mentions(got.Warn, "view-clients") || len(got.Missing) > 0 {
		t.Errorf("%+v", got)
	}
	if got := probe(t, c); mentions(got.Warn, "view-clients") {
		t.Errorf("%+v", got)
	}
}

func TestTheProbeNamesWhatIsMissingAndWhatIsTooMuch(t *testing.T) {
	s := newSite(t)
	s.somebody()
	for _, one := range []struct {
		name          string
		roles         []string
		missing, warn []string
	}{
		{"all that it takes", []string{"view-users", "manage-users"}, nil, nil},
		{"none", nil, []string{"view-users", "manage-users"}, nil},
		{"only view", []string{"view-users"}, []string{"manage-users"}, nil},
		{"only query", []string{"query-users"}, []string{"view-users", "manage-users"}, nil},
		{"everything", []string{"realm-admin"}, nil, []string{"realm-admin", "impersonation"}},
		{"another's work", []string{"view-users", "manage-users", "manage-clients"}, nil, []string{"manage-clients"}},
	} {
		got := probe(t, newLesserClient(t, s, one.roles...))
		if len(got.Missing) != len(one.missing) {
			t.Errorf("%s: missing %q, want %v", one.name, got.Missing, one.missing)
		}
		for _, role := range one.missing {
			if !mentions(got.Missing, "grant the role "+role+" ") || !mentions(got.Missing, "--rolename "+role) {
				t.Errorf("%s: %q does not tell how to grant %s", one.name, got.Missing, role)
			}
		}
		for _, role := range one.warn {
			if !mentions(got.Warn, "has the role "+role) {
				t.Errorf("%s: %q does not warn of %s", one.name, got.Warn, role)
			}
		}
		if one.warn == nil && mentions(got.Warn, "does not need") {
			t.Errorf("%s: warned without a reason: %q", one.name, got.Warn)
		}
		if got.Clock.IsZero() {
			t.Errorf("%s: the probe does not tell the server's clock", one.name)
		}
	}
}

// The grants that the probe prints are those that help.
func TestTheRightsThatTheProbeNamesAreEnough(t *testing.T) {
	s := newSite(t, "query-users")
	p := s.somebody()
	c := open(t, s.config())
	if got := probe(t, c); len(got.Missing) != 2 {
		t.Fatalf("missing: %q", got.Missing)
	}
	s.Grant(s.self, "view-users", "manage-users")
	c = open(t, s.config()) // another token
	if got := probe(t, c); len(got.Missing) > 0 {
		t.Errorf("missing still: %q", got.Missing)
	}
	if _, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
}

// A client of the realm master acts on other realms by the roles of a client that bears the realm's name.
func TestAClientOfTheRealmMasterServesAsWell(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	c := open(t, masterConfig(t, s, "view-users", "manage-users"))
	if got := probe(t, c); len(got.Missing) > 0 {
		t.Errorf("missing: %q", got.Missing)
	}
	if _, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
	got := probe(t, open(t, masterConfig(t, s, "view-users")))
	if !mentions(got.Missing, "of the client "+s.Name+"-realm") || !mentions(got.Missing, "add-roles -r master ") {
		t.Errorf("missing: %q", got.Missing)
	}
}

func TestARealmThatIsNotThereIsNamed(t *testing.T) {
	s := newSite(t)
	config := s.config()
	config.Realm, config.AdminRealm = "nowhere", s.Name
	_, err := open(t, config).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeUnexpected); !strings.Contains(detail, "nowhere") {
		t.Error(detail)
	}
	config.Realm, config.AdminRealm = s.Name, "nowhere"
	_, err = open(t, config).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeUnexpected); !strings.Contains(detail, "nowhere") {
		t.Error(detail)
	}
}

// In the realm master there is a client for each realm, and its roles make an administrator of that one.
func TestAnAdministratorOfAnotherRealmIsPrivilegedInMaster(t *testing.T) {
	s := newSite(t)
	config := masterConfig(t, s)
	config.Realm = "master"
	call := func(method, path string, body, into any) {
		t.Helper()
		if err := s.Server.Call(method, "/admin/realms/master"+path, body, into); err != nil {
			t.Fatal(err)
		}
	}
	grant := func(user, client string, names ...string) {
		t.Helper()
		var found []struct{ ID string }
		call(http.MethodGet, "/clients"+query("clientId", client), nil, &found)
		for _, name := range names {
			var role map[string]any
			call(http.MethodGet, "/clients/"+found[0].ID+"/roles/"+name, nil, &role)
			call(http.MethodPost, "/users/"+user+"/role-mappings/clients/"+found[0].ID, []any{role}, nil)
		}
	}
	var own []struct{ ID string }
	call(http.MethodGet, "/clients"+query("clientId", config.ClientID), nil, &own)
	var account struct{ ID string }
	call(http.MethodGet, "/clients/"+own[0].ID+"/service-account-user", nil, &account)
	grant(account.ID, "master-realm", "view-users", "manage-users", "view-clients")
	add := func() string {
		t.Helper()
		name := unique("keeper")
		call(http.MethodPost, "/users", map[string]any{"username": name, "enabled": true}, nil)
		var found []struct{ ID string }
		call(http.MethodGet, "/users"+query("username", name), nil, &found)
		return found[0].ID
	}
	plain, keeper := add(), add()
	grant(keeper, s.Name+"-realm", "manage-users")
	c := open(t, config)
	if class := classify(t, c, keeper); !class.Privileged {
		t.Errorf("%+v", class)
	}
	if class := classify(t, c, plain); class.Privileged {
		t.Errorf("%+v", class)
	}
}

// Keycloak can make tokens that name no roles ("lightweight"). Administrators are recognised all the same.
func TestAdministratorsAreSeenWithATokenThatNamesNoRoles(t *testing.T) {
	s := newSite(t, "view-users", "manage-users", "view-clients")
	id := s.ClientID(s.config().ClientID)
	var client map[string]any
	s.Call(http.MethodGet, "/clients/"+id, nil, &client)
	client["attributes"] = map[string]any{"client.use.lightweight.access.token.enabled": "true"}
	s.Call(http.MethodPut, "/clients/"+id, client, nil)
	t.Cleanup(func() {
		client["attributes"] = map[string]any{"client.use.lightweight.access.token.enabled": "false"}
		s.Call(http.MethodPut, "/clients/"+id, client, nil)
	})
	plain, boss := s.somebody(), s.somebody()
	s.Grant(boss.ID, "realm-admin")
	c := open(t, s.config())
	for id, want := range map[string]bool{plain.ID: false, boss.ID: true} {
		if class := classify(t, c, id); class.Privileged != want {
			t.Errorf("%+v, want privileged %t", class, want)
		}
	}
}

// Imported passwords may have no date.
func TestAPasswordWithoutADateIsOneAllTheSame(t *testing.T) {
	s := newSite(t, "view-users", "manage-users")
	p := s.somebody()
	through := newProxy(t, s.Server)
	through.after = func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, "/credentials") {
			return nil
		}
		r.Header.Del("Content-Length")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`[{"id":"c1","type":"password"}]`)), -1
		return nil
	}
	class := classify(t, open(t, s.at(through.URL)), p.ID)
	if !strings.Contains(class.Why, "has a password") || !class.Evidence.PasswordChangedAt.IsZero() || class.Evidence.Marker == "" {
		t.Errorf("%+v", class)
	}
}
