package keycloak_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// Keycloak itself would find five people by this name.
func TestANameIsNoPartOfANameAlthoughKeycloakSearchesForParts(t *testing.T) {
	s := ownSite(t)
	want := s.person("ann", nil)
	for _, other := range []string{"anna", "joann", "hannah", "annette"} {
		s.person(other, nil)
	}
	var loose []struct{ Username string }
	s.Call(http.MethodGet, "/users"+query("username", "ann"), nil, &loose)
	if len(loose) != 5 {
		t.Fatalf("Keycloak finds %d accounts without exact; this test needs 5", len(loose))
	}
	c := open(t, s.config())
	for _, kind := range []schemas.AccountType{schemas.AccountUserName, schemas.AccountLogin} {
		got, err := c.Resolve(t.Context(), schemas.Account{Type: kind, Value: "ann"})
		if err != nil || got.ID != want.ID || got.Name != "ann" {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "ann "})
	wantCode(t, err, schemas.CodeAccountNotFound)
	_, err = c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "nn@example.com"})
	wantCode(t, err, schemas.CodeAccountNotFound)
}

// A gateway that drops the query would make Keycloak search for parts again.
func TestAMatchThatIsNoneIsNotTakenEvenIfKeycloakGivesIt(t *testing.T) {
	s := newSite(t)
	loud := s.somebody()
	p := newProxy(t, s.Server)
	p.before = func(_ http.ResponseWriter, r *http.Request) bool {
		r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "exact=true", "exact=false")
		return false
	}
	_, err := open(t, s.at(p.URL)).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: loud.Account.Value[1:]})
	wantCode(t, err, schemas.CodeAccountNotFound)
}

func TestTheOtherRequiredActionsStay(t *testing.T) {
	s := newSite(t)
	c := open(t, s.config())
	for _, mode := range []schemas.Mode{schemas.ModeExpire, schemas.ModeRandomize} {
		p := s.person(unique(string(mode)), map[string]any{"requiredActions": []string{"CONFIGURE_TOTP", "VERIFY_EMAIL"}})
		if _, err := c.Reset(t.Context(), identity(p.ID), mode); err != nil {
			t.Fatal(err)
		}
		if got := s.actions(p.ID); !slices.Equal(got, []string{"CONFIGURE_TOTP", "UPDATE_PASSWORD", "VERIFY_EMAIL"}) {
			t.Errorf("after %s the required actions are %v", mode, got)
		}
	}
}

// A change of the required actions must not touch the rest of the account.
func TestExpireChangesNothingElse(t *testing.T) {
	s := newSite(t)
	s.Call(http.MethodPut, "/users/profile", profileWithDepartment(s), nil)
	p := s.person(unique("person"), map[string]any{"attributes": map[string][]string{"department": {"Finance"}}})
	read := func() (u map[string]any) {
		s.Call(http.MethodGet, "/users/"+p.ID, nil, &u)
		delete(u, "requiredActions")
		return u
	}
	before := read()
	if attributes, _ := before["attributes"].(map[string]any); attributes["department"] == nil {
		t.Fatalf("the account has no department: %v", before)
	}
	if _, err := open(t, s.config()).Reset(t.Context(), identity(p.ID), schemas.ModeExpire); err != nil {
		t.Fatal(err)
	}
	if after := read(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
}

func TestAskingTwiceForExpireSendsNothingTheSecondTime(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	through := newProxy(t, s.Server)
	c := open(t, s.at(through.URL))
	for _, want := range []schemas.Code{schemas.CodeOK, schemas.CodeAlreadyInForce} {
		got, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeExpire)
		if err != nil || got.Code != want {
			t.Errorf("%+v, %v; want %s", got, err, want)
		}
	}
	if n := len(through.changes()); n != 1 {
		t.Errorf("%d changes were sent: %v", n, through.changes())
	}
}

// To a client that may query and not view, Keycloak answers 200 [], as if nobody were there.
func TestARealmThatLooksEmptyForWantOfRightsIsNotEmpty(t *testing.T) {
	s := newSite(t, "query-users")
	p := s.somebody()
	var count int
	s.Call(http.MethodGet, "/users/count", nil, &count)
	if count == 0 {
		t.Fatal("the realm is empty")
	}
	c := open(t, s.config())
	for _, a := range []schemas.Account{p.Account, {Type: schemas.AccountEmail, Value: p.Account.Value + "@example.com"}, {Type: schemas.AccountAddress, Value: "nobody@example.com"}} {
		_, err := c.Resolve(t.Context(), a)
		if detail := wantCode(t, err, schemas.CodePermissionMissing); !strings.Contains(detail, "view-users") || !strings.Contains(detail, "add-roles -r "+s.Name) {
			t.Errorf("the detail does not tell what to grant: %s", detail)
		}
	}
	got := probe(t, c)
	if !mentions(got.Missing, "view-users") || !mentions(got.Missing, "manage-users") {
		t.Errorf("missing: %q", got.Missing)
	}
}

// With the required action turned off, Keycloak stores the demand and lets everybody in without it.
func TestADemandThatTheRealmDoesNotActOnIsUnenforced(t *testing.T) {
	s := ownSite(t)
	p := s.somebody()
	var action map[string]any
	s.Call(http.MethodGet, "/authentication/required-actions/UPDATE_PASSWORD", nil, &action)
	action["enabled"] = false
	s.Call(http.MethodPut, "/authentication/required-actions/UPDATE_PASSWORD", action, nil)

	c := open(t, s.config())
	if got := probe(t, c); !mentions(got.Unenforced, "Update Password") {
		t.Errorf("the probe finds nothing wrong: %+v", got)
	}
	_, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeExpire)
	wantCode(t, err, schemas.CodeUnenforced)
	if got := s.actions(p.ID); len(got) > 0 {
		t.Errorf("the account must %v although nothing should be changed", got)
	}
	_, err = c.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, "old password is dead") {
		t.Errorf("the detail does not tell that the password was changed: %s", detail)
	}
	if s.login(t, p.Account.Value, p.Password) != "refused" {
		t.Error("the old password works")
	}
	proof, err := c.Verify(t.Context(), identity(p.ID), schemas.Evidence{})
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced {
		t.Errorf("%+v, %v", proof, err)
	}
	// That this is not only said: the log-in form does not act on a demand by hand.
	s.Call(http.MethodPut, "/users/"+p.ID+"/reset-password", map[string]any{"type": "password", "value": "By-hand-1", "temporary": true}, nil)
	if page := s.Browser().SignIn(p.Account.Value, "By-hand-1"); page.Code == "" {
		t.Errorf("Keycloak demands the change all the same (%+v); the trap is no more", page)
	}
}

func TestResetdsOwnAccountIsLeftAlone(t *testing.T) {
	s := newSite(t)
	c := open(t, s.config())
	_, other := s.ServiceClient(unique("robot"))
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err := c.Reset(t.Context(), identity(s.self), mode)
		wantCode(t, err, schemas.CodeProtected)
		_, err = c.Reset(t.Context(), identity(other), mode)
		wantCode(t, err, schemas.CodeNotApplicable)
	}
	class := classify(t, c, other)
	if class.Origin != schemas.OriginService {
		t.Errorf("another client's service account is %+v", class)
	}
	if s.actions(s.self) != nil && len(s.actions(s.self)) > 0 {
		t.Errorf("our own account must %v", s.actions(s.self))
	}
}

func TestAnAccountThatSignsInElsewhereIsNotApplicable(t *testing.T) {
	s := newSite(t)
	s.Call(http.MethodPost, "/identity-provider/instances", map[string]any{
		"alias": "partner", "providerId": "oidc", "enabled": true,
		"config": map[string]string{"authorizationUrl": "http://127.0.0.1:1/auth", "tokenUrl": "http://127.0.0.1:1/token", "clientId": "x", "clientSecret": "x"},
	}, nil)
	without := s.AddUser(unique("brokered"), "", nil)
	with := s.somebody()
	for _, id := range []string{without, with.ID} {
		s.Call(http.MethodPost, "/users/"+id+"/federated-identity/partner", map[string]any{"userId": id, "userName": id}, nil)
	}
	c := open(t, s.config())
	class := classify(t, c, without)
	if class.Origin != schemas.OriginFederated || !strings.Contains(class.Why, "partner") {
		t.Errorf("without a password: %+v", class)
	}
	_, err := c.Reset(t.Context(), identity(without), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeNotApplicable)
	var credentials []any
	s.Call(http.MethodGet, "/users/"+without+"/credentials", nil, &credentials)
	if len(credentials) > 0 || len(s.actions(without)) > 0 {
		t.Error("the account was changed")
	}
	// One that has a password here too is reset like any other.
	if class := classify(t, c, with.ID); class.Origin != schemas.OriginNative {
		t.Errorf("with a password: %+v", class)
	}
	if _, err := c.Reset(t.Context(), identity(with.ID), schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
}

// profileWithDepartment is the realm's user profile with one attribute more: others are dropped by Keycloak.
func profileWithDepartment(s site) map[string]any {
	var profile map[string]any
	s.Call(http.MethodGet, "/users/profile", nil, &profile)
	profile["attributes"] = append(profile["attributes"].([]any), map[string]any{
		"name": "department", "permissions": map[string]any{"view": []string{"admin"}, "edit": []string{"admin"}},
	})
	return profile
}
