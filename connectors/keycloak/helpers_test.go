package keycloak_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/keycloak"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// site is a realm with a client for resetd in it, which has no more rights than the README asks for.
type site struct {
	*testserver.KeycloakRealm
	client, secret string
	self           string // the id of the client's service account
}

// shared is the realm of all tests that need none of their own: making one takes a while.
var shared struct {
	once  sync.Once
	realm *testserver.KeycloakRealm
}

// newSite gives the realm that tests share, with a client of the test's own.
func newSite(t *testing.T, roles ...string) site {
	t.Helper()
	server := testserver.Keycloak(t)
	shared.once.Do(func() { shared.realm = server.Realm(t) })
	return siteIn(shared.realm.For(t), roles)
}

// ownSite gives a realm that no other test uses.
func ownSite(t *testing.T, roles ...string) site {
	t.Helper()
	return siteIn(testserver.Keycloak(t).Realm(t), roles)
}

func siteIn(realm *testserver.KeycloakRealm, roles []string) site {
	if len(roles) == 0 {
		roles = []string{"view-users", "manage-users"}
	}
	s := site{KeycloakRealm: realm, client: unique("resetd")}
	s.secret, s.self = s.ServiceClient(s.client, roles...)
	return s
}

// unique gives a name that nobody has.
func unique(name string) string { return name + "-" + strings.ToLower(rand.Text()[:8]) }

// config gives the settings that an operator would write.
func (s site) config() *keycloak.Config {
	c := keycloak.Kind().New().(*keycloak.Config)
	c.BaseURL, c.Realm, c.ClientID, c.ClientSecret = s.Server.URL, s.Name, s.client, schemas.NewSecret(s.secret)
	return c
}

// at gives the same settings for another address.
func (s site) at(address string) *keycloak.Config {
	c := s.config()
	c.BaseURL = address
	return c
}

// somebody makes an ordinary account.
func (s site) somebody() conformance.Person { return s.person(unique("person"), nil) }

// person makes an account of a certain name.
func (s site) person(name string, changes map[string]any) conformance.Person {
	password := "Before-" + name + "-1"
	return conformance.Person{
		Account: schemas.Account{Type: schemas.AccountUserName, Value: name}, Password: password, ID: s.AddUser(name, password, changes),
	}
}

// login tells what becomes of a direct grant.
func (s site) login(t *testing.T, name, password string) conformance.Login {
	t.Helper()
	switch got := s.SignIn(name, password, "openid"); {
	case got.AccessToken != "":
		return conformance.LoginAccepted
	case got.Refusal == "Account is not fully set up":
		return conformance.LoginMustChange
	case got.Refusal == "Invalid user credentials":
		return conformance.LoginRefused
	default:
		return conformance.Login(got.Refusal)
	}
}

// actions gives what an account is required to do, past the connector.
func (s site) actions(id string) []string {
	var u struct{ RequiredActions []string }
	s.Call(http.MethodGet, "/users/"+id, nil, &u)
	slices.Sort(u.RequiredActions)
	return u.RequiredActions
}

// allowOffline lets an account have offline sessions, as the realm's default roles do.
func (s site) allowOffline(id string) {
	var role map[string]any
	s.Call(http.MethodGet, "/roles/offline_access", nil, &role)
	s.Call(http.MethodPost, "/users/"+id+"/role-mappings/realm", []any{role}, nil)
}

// newLesserClient gives a connector that signs in as another client, with these roles alone.
func newLesserClient(t *testing.T, s site, roles ...string) connectors.Connector {
	t.Helper()
	config := s.config()
	config.ClientID = unique("lesser")
	secret, _ := s.ServiceClient(config.ClientID, roles...)
	config.ClientSecret = schemas.NewSecret(secret)
	return open(t, config)
}

// group makes a group with roles of administration, and one account its member.
func (s site) group(name, member string, roles ...string) {
	s.Call(http.MethodPost, "/groups", map[string]any{"name": name}, nil)
	var found []struct{ ID string }
	s.Call(http.MethodGet, "/groups"+query("search", name), nil, &found)
	s.Call(http.MethodPost, "/groups/"+found[0].ID+"/role-mappings/clients/"+s.Management(), s.Roles(roles...), nil)
	s.Call(http.MethodPut, "/users/"+member+"/groups/"+found[0].ID, nil, nil)
}

// masterConfig gives settings with a client of the realm master.
func masterConfig(t *testing.T, s site, roles ...string) *keycloak.Config {
	t.Helper()
	config := s.config()
	config.AdminRealm, config.ClientID = "master", unique("master")
	config.ClientSecret = schemas.NewSecret(rand.Text())
	call := func(method, path string, body, into any) {
		t.Helper()
		if err := s.Server.Call(method, "/admin/realms/master"+path, body, into); err != nil {
			t.Fatal(err)
		}
	}
	call(http.MethodPost, "/clients", map[string]any{
		"clientId": config.ClientID, "secret": config.ClientSecret.Reveal(), "serviceAccountsEnabled": true, "standardFlowEnabled": false, "publicClient": false,
	}, nil)
	var own, management []struct{ ID string }
	call(http.MethodGet, "/clients"+query("clientId", config.ClientID), nil, &own)
	call(http.MethodGet, "/clients"+query("clientId", s.Name+"-realm"), nil, &management)
	var account struct{ ID string }
	call(http.MethodGet, "/clients/"+own[0].ID+"/service-account-user", nil, &account)
	for _, name := range roles {
		var role map[string]any
		call(http.MethodGet, "/clients/"+management[0].ID+"/roles/"+name, nil, &role)
		call(http.MethodPost, "/users/"+account.ID+"/role-mappings/clients/"+management[0].ID, []any{role}, nil)
	}
	return config
}

// open makes a connector of valid settings. It is closed with the test.
func open(t *testing.T, c *keycloak.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c, connectors.Env{System: "corp-login"})
	t.Cleanup(func() { _ = got.Close() })
	return got
}

func unclosed(t *testing.T, c *keycloak.Config, env connectors.Env) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(env)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantCode fails the test unless the error is a Failure with the code, and gives the failure's detail.
func wantCode(t *testing.T, err error, code schemas.Code) string {
	t.Helper()
	if schemas.CodeOf(err) != code {
		t.Errorf("code %s (%v), want %s", schemas.CodeOf(err), err, code)
	}
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		return f.Detail
	}
	return ""
}

// probe and classify fail the test at once for an error.
func probe(t *testing.T, c connectors.Connector) schemas.Capabilities {
	t.Helper()
	got, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func classify(t *testing.T, c connectors.Connector, id string) schemas.Class {
	t.Helper()
	got, err := c.Classify(t.Context(), identity(id))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// identity is an account by its id alone.
func identity(id string) schemas.Identity {
	return schemas.Identity{ID: id, Name: "a name that nobody has"}
}

// mentions tells whether one of the texts has the words.
func mentions(texts []string, words string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, words) })
}

// query writes a parameter.
func query(key, value string) string { return "?" + url.Values{key: {value}}.Encode() }
