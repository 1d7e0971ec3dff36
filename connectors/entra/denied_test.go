package entra_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// Graph says the same for a right that we lack and for an account that is protected. What is to be done differs.
func TestMissingRightIsToldFromProtectedAccount(t *testing.T) {
	admin := func(p *person) { p.roles = []role{{roleGlobalAdmin, "Global Administrator"}} }
	least := func(more ...string) []string { return append(without(leastPrivilege), more...) }
	for name, one := range map[string]struct {
		target      func(*person)
		permissions []string
		roles       map[string]string
		code        schemas.Code
		says        string
	}{
		"no right, ordinary account":    {nil, without(least(), "User-PasswordProfile.ReadWrite.All"), nil, schemas.CodePermissionMissing, "User-PasswordProfile.ReadWrite.All"},
		"no right, administrator":       {admin, without(least(), "User-PasswordProfile.ReadWrite.All"), nil, schemas.CodePermissionMissing, "Password Administrator"},
		"the permission, administrator": {admin, least(), nil, schemas.CodeProtected, "Privileged Authentication Administrator"},
		"the role, administrator":       {admin, without(least(), "User-PasswordProfile.ReadWrite.All"), map[string]string{rolePasswordAdmin: "/"}, schemas.CodeProtected, "Privileged Authentication Administrator"},
		"the permission, member of a group that roles can be given to": {func(p *person) {
			p.groups = []group{{"all", false}, {"everybody", false}, {"staff", false}, {"tier zero", true}} // on the second page
		}, least(), nil, schemas.CodeProtected, "tier zero"},
		"the permission, restricted management unit":                      {func(p *person) { p.restricted = true }, least(), nil, schemas.CodeProtected, "restricted management administrative unit"},
		"a role limited to a unit, account outside of it":                 {nil, without(least(), "User-PasswordProfile.ReadWrite.All"), map[string]string{rolePasswordAdmin: "/administrativeUnits/30000000-0000-4000-8000-000000000001"}, schemas.CodePermissionMissing, "administrative unit"},
		"the permission, roles cannot be seen, administrator":             {admin, without(least(), "RoleManagement.Read.Directory", "GroupMember.Read.All"), nil, schemas.CodePermissionMissing, "may be protected"},
		"no right that can be seen, and roles cannot be seen":             {admin, without(least(), "RoleManagement.Read.Directory", "User-PasswordProfile.ReadWrite.All"), nil, schemas.CodePermissionMissing, "Password Administrator"},
		"the role of a Directory Reader protects nobody, and no right":    {func(p *person) { p.roles = []role{{roleDirectoryReader, "Directory Readers"}} }, without(least(), "User-PasswordProfile.ReadWrite.All"), nil, schemas.CodePermissionMissing, "User-PasswordProfile.ReadWrite.All"},
		"the token tells nothing, but the lists do: no right, ordinary":   {nil, append(without(least(), "User-PasswordProfile.ReadWrite.All"), "Application.Read.All", "opaque"), nil, schemas.CodePermissionMissing, "User-PasswordProfile.ReadWrite.All"},
		"the token tells nothing, but the lists do: right, administrator": {admin, least("Application.Read.All", "opaque"), nil, schemas.CodeProtected, "Privileged Authentication Administrator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			a := w.apps[appFull]
			a.permissions, a.roles = one.permissions, one.roles
			a.opaque = strings.Contains(strings.Join(one.permissions, " "), "opaque")
			f := newFront(t, w, nil)
			c := connect(t, f)
			p := w.add("target@example.com", one.target)
			before := w.fingerprint()
			_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
			got := codeIs(t, err, one.code)
			if !strings.Contains(got.Detail, one.says) || !strings.Contains(got.Detail, "request-id") {
				t.Errorf("the detail is %q; want %q in it, and the request's id", got.Detail, one.says)
			}
			if w.fingerprint() != before || len(f.writes()) != 1 {
				t.Errorf("something was changed, or tried again: %d writes", len(f.writes()))
			}
		})
	}
}

func TestPrivilegedAuthenticationAdministratorResetsAdministrators(t *testing.T) {
	w := newWorld()
	w.apps[appFull].roles = map[string]string{rolePrivilegedAuth: "/"}
	c := connect(t, newFront(t, w, nil))
	p := w.add("admin@example.com", func(p *person) { p.roles = []role{{roleGlobalAdmin, "Global Administrator"}} })
	if got, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRevokeWithoutTheRightNamesIt(t *testing.T) {
	w := newWorld()
	w.apps[appFull].permissions = without(leastPrivilege, "User.RevokeSessions.All")
	c := connect(t, newFront(t, w, nil))
	_, err := c.Revoke(t.Context(), schemas.Identity{ID: w.add("a@example.com", nil).id})
	if got := codeIs(t, err, schemas.CodePermissionMissing); !strings.Contains(got.Detail, "User.RevokeSessions.All") {
		t.Error(got.Detail)
	}
	w.apps[appFull].permissions = leastPrivilege
	admin := w.add("b@example.com", func(p *person) { p.groups = []group{{"tier zero", true}} })
	_, err = connect(t, newFront(t, w, nil)).Revoke(t.Context(), schemas.Identity{ID: admin.id})
	codeIs(t, err, schemas.CodeProtected)
}

func TestClassifyTellsWhoIsPrivilegedAndWhy(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	for _, one := range []struct {
		name       string
		change     func(*person)
		privileged bool
		origin     schemas.Origin
		why        string
	}{
		{"nothing", nil, false, schemas.OriginNative, "managed"},
		{"a role", func(p *person) { p.roles = []role{{roleGlobalAdmin, "Global Administrator"}} }, true, schemas.OriginNative, "Global Administrator"},
		{"a harmless role", func(p *person) { p.roles = []role{{roleDirectoryReader, "Directory Readers"}} }, false, schemas.OriginNative, ""},
		{"a plain group", func(p *person) { p.groups = []group{{"all", false}} }, false, schemas.OriginNative, ""},
		{"a role group, on a later page", func(p *person) {
			p.groups = []group{{"a", false}, {"b", false}, {"c", false}, {"d", false}, {"tier zero", true}}
		}, true, schemas.OriginNative, "tier zero"},
		{"a restricted unit", func(p *person) { p.restricted = true }, true, schemas.OriginNative, "isManagementRestricted"},
		{"the account of Entra Connect", func(p *person) { p.roles = []role{{roleSync, "Directory Synchronization Accounts"}} }, true, schemas.OriginService, "Synchronization"},
		{"a role in an administrative unit", func(p *person) { p.scoped = []role{{rolePasswordAdmin, "Password Administrator"}} }, true, schemas.OriginNative, "Password Administrator"},
		{"a role that may be taken by PIM", func(p *person) { p.eligible = []role{{roleGlobalAdmin, "Global Administrator"}} }, true, schemas.OriginNative, "Global Administrator"},
		{"a role that is known twice", func(p *person) {
			p.roles = []role{{roleGlobalAdmin, "Global Administrator"}}
			p.eligible = p.roles
		}, true, schemas.OriginNative, "Entra; holds the role Global Administrator"},
		{"the role of newer Entra Connect", func(p *person) {
			p.roles = []role{{"A92AED5D-d78a-4d16-b381-09adb37eb3b0", "On Premises Directory Sync Account"}}
		}, true, schemas.OriginService, "Sync"},
		{"a room", func(p *person) { p.resource = true }, false, schemas.OriginService, "isResourceAccount"},
	} {
		class := classOf(t, c, w.add(strings.ReplaceAll(one.name, " ", ".")+"@example.com", one.change))
		if strings.Count(class.Why, "Global Administrator") > 1 || class.Privileged != one.privileged || class.Origin != one.origin || !strings.Contains(class.Why, one.why) {
			t.Errorf("%s: %+v", one.name, class)
		}
	}
	w.apps[appReader].permissions = []string{"User.Read.All"}
	f := newFront(t, w, nil)
	config := f.config()
	config.ClientID = appReader
	blind := open(t, config)
	defer func() { _ = blind.Close() }()
	_, err := blind.Classify(t.Context(), schemas.Identity{ID: w.find("nothing@example.com").id})
	if got := codeIs(t, err, schemas.CodePermissionMissing); !strings.Contains(got.Detail, "RoleManagement.Read.Directory") || !strings.Contains(got.Detail, "check_roles: false") {
		t.Errorf("without the right to see roles: %v", got)
	}
	config.CheckRoles = false
	careless := open(t, config)
	defer func() { _ = careless.Close() }()
	if class := classOf(t, careless, w.find("nothing@example.com")); class.Privileged || !strings.Contains(class.Why, "is not known") {
		t.Errorf("without the right to see roles, and check_roles off: %+v", class)
	}
}

func TestTenantWithoutPIMHasNobodyWhoMayTakeARole(t *testing.T) {
	w := newWorld()
	w.noPIM = true
	c := connect(t, newFront(t, w, nil))
	if class := classOf(t, c, w.add("plain@example.com", nil)); class.Privileged || strings.Contains(class.Why, "not known") {
		t.Errorf("the class is %+v", class)
	}
}

// The account with which a directory is synchronised must not be reset by whoever knows its name, also where roles cannot be seen.
func TestAccountOfASynchronisationIsToldByItsNameToo(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	for name, want := range map[string]schemas.Origin{
		"Sync_DC01_0123456789ab@contoso.onmicrosoft.com": schemas.OriginService, "ADToAADSyncServiceAccount@contoso.onmicrosoft.com": schemas.OriginService,
		"sync_dc01_0123456789AB@contoso.onmicrosoft.com": schemas.OriginService,
		"Sync_Team@example.com":                          schemas.OriginNative, "syncopation@contoso.onmicrosoft.com": schemas.OriginNative,
	} {
		if class := classOf(t, c, w.add(name, nil)); class.Origin != want {
			t.Errorf("%s is %+v", name, class)
		}
	}
}

// Microsoft writes the mark of the place as $skiptoken here and $skipToken there; of a link that holds neither the rest cannot be read.
func TestMembershipsAreReadToTheEnd(t *testing.T) {
	for link, seen := range map[string]bool{
		"https://graph.example.com/v1.0/next?$skiptoken=2": true, "https://graph.example.com/v1.0/next?%24skipToken=2": true, "https://graph.example.com/v1.0/next?$skip=2": false,
	} {
		w := newWorld()
		f := newFront(t, w, func(f *front) {
			f.inside = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
				switch {
				case !strings.HasSuffix(r.URL.Path, "/microsoft.graph.group"):
					return false
				case strings.Contains(strings.ToLower(r.URL.RawQuery), "skiptoken"):
					answer(out, map[string]any{"value": []any{map[string]any{"displayName": "tier zero", "isAssignableToRole": true}}})
				default:
					answer(out, map[string]any{"value": []any{}, "@odata.nextLink": link})
				}
				return true
			}
		})
		class, err := connect(t, f).Classify(t.Context(), schemas.Identity{ID: w.add("member@example.com", nil).id})
		if seen && (err != nil || !class.Privileged) || !seen && schemas.CodeOf(err) != schemas.CodePermissionMissing {
			t.Errorf("%s: %+v, %v", link, class, err)
		}
	}
}
