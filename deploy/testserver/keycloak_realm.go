package testserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// KeycloakRealm is a realm for one test, with the public client "app", at which people sign in with their password (the
// direct grant) or by the log-in form. Passwords are hashed as cheaply as Keycloak can, names and addresses are not checked
// further, and two people may have one e-mail address.
type KeycloakRealm struct {
	Server *KeycloakServer
	Name   string
	// Path is that of the realm in the admin REST API: /admin/realms/NAME.
	Path string

	t          testing.TB
	management string // the id of the client that holds the realm's roles of administration
}

// KeycloakApp is the client at which people sign in, and KeycloakAppURL where the log-in form sends them afterwards.
const (
	KeycloakApp    = "app"
	KeycloakAppURL = "http://127.0.0.1:1/signed-in"
)

// Realm makes a realm. It stays until the server ends.
func (s *KeycloakServer) Realm(t testing.TB) *KeycloakRealm {
	t.Helper()
	name := "r" + strings.ToLower(newPassword()[:8])
	r := &KeycloakRealm{Server: s, Name: name, Path: "/admin/realms/" + name, t: t}
	r.must(s.Call(http.MethodPost, "/admin/realms", map[string]any{
		// Keys on curves: those of RSA, which a realm gets by itself, take seconds of a crowded machine.
		"defaultSignatureAlgorithm": "ES256",
		"components": map[string]any{"org.keycloak.keys.KeyProvider": []any{
			map[string]any{"name": "ecdsa", "providerId": "ecdsa-generated", "config": map[string][]string{"priority": {"100"}}},
			map[string]any{"name": "hmac", "providerId": "hmac-generated", "config": map[string][]string{"priority": {"100"}, "algorithm": {"HS512"}}},
			map[string]any{"name": "aes", "providerId": "aes-generated", "config": map[string][]string{"priority": {"100"}}},
		}},
		"realm": name, "enabled": true, "duplicateEmailsAllowed": true, "loginWithEmailAllowed": false,
		"passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)", "adminEventsEnabled": true, "adminEventsDetailsEnabled": true,
		"clients": []any{map[string]any{
			"clientId": KeycloakApp, "publicClient": true, "directAccessGrantsEnabled": true, "standardFlowEnabled": true,
			"redirectUris": []string{KeycloakAppURL}, "fullScopeAllowed": true,
		}},
	}, nil))
	r.management = r.ClientID("realm-management")
	return r
}

// For gives the same realm to another test.
func (r *KeycloakRealm) For(t testing.TB) *KeycloakRealm {
	other := *r
	other.t = t
	return &other
}

// Call makes a call of the admin REST API below the realm, with all rights. It fails the test for any error.
func (r *KeycloakRealm) Call(method, path string, body, into any) {
	r.t.Helper()
	r.must(r.Server.Call(method, r.Path+path, body, into))
}

// Set changes settings of the realm: {"passwordPolicy": "length(40)"}.
func (r *KeycloakRealm) Set(settings map[string]any) {
	r.t.Helper()
	r.Call(http.MethodPut, "", settings, nil)
}

// ClientID gives the internal id of a client.
func (r *KeycloakRealm) ClientID(name string) string {
	r.t.Helper()
	var found []struct{ ID string }
	r.Call(http.MethodGet, "/clients?clientId="+url.QueryEscape(name), nil, &found)
	if len(found) != 1 {
		r.t.Fatalf("%d clients are named %s", len(found), name)
	}
	return found[0].ID
}

// ServiceClient makes a confidential client whose service account has roles of realm-management, and gives its secret and
// the account's id.
func (r *KeycloakRealm) ServiceClient(name string, roles ...string) (secret, account string) {
	r.t.Helper()
	secret = newPassword()
	r.Call(http.MethodPost, "/clients", map[string]any{
		"clientId": name, "secret": secret, "serviceAccountsEnabled": true, "standardFlowEnabled": false, "publicClient": false,
	}, nil)
	var user struct{ ID string }
	r.Call(http.MethodGet, "/clients/"+r.ClientID(name)+"/service-account-user", nil, &user)
	r.Grant(user.ID, roles...)
	return secret, user.ID
}

// Grant gives an account roles of realm-management.
func (r *KeycloakRealm) Grant(account string, roles ...string) {
	r.t.Helper()
	r.Call(http.MethodPost, "/users/"+account+"/role-mappings/clients/"+r.management, r.Roles(roles...), nil)
}

// Roles gives roles of realm-management as the API wants them.
func (r *KeycloakRealm) Roles(names ...string) []any {
	r.t.Helper()
	out := []any{}
	for _, name := range names {
		var role map[string]any
		r.Call(http.MethodGet, "/clients/"+r.management+"/roles/"+name, nil, &role)
		out = append(out, role)
	}
	return out
}

// Management is the internal id of the client realm-management.
func (r *KeycloakRealm) Management() string { return r.management }

// AddUser makes an enabled account, with a password unless that is "", and gives its id. Changes are laid over what the API
// gets.
func (r *KeycloakRealm) AddUser(name, password string, changes map[string]any) string {
	r.t.Helper()
	user := map[string]any{
		"username": name, "enabled": true, "firstName": "First", "lastName": "Last", "email": name + "@example.com", "emailVerified": true,
	}
	if password != "" {
		user["credentials"] = []any{map[string]any{"type": "password", "value": password, "temporary": false}}
	}
	for key, value := range changes {
		user[key] = value
	}
	ctx, cancel := context.WithTimeout(context.Background(), keycloakPatience)
	defer cancel()
	token, err := r.Server.adminToken(ctx)
	r.must(err)
	header, err := r.Server.call(ctx, http.MethodPost, r.Path+"/users", token, user, nil)
	r.must(err)
	return path.Base(header.Get("Location"))
}

// KeycloakSignIn is the answer to a direct grant: tokens, or an error with the server's words for it.
type KeycloakSignIn struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	// Refusal is what the server says instead: "Invalid user credentials", "Account is not fully set up" …
	Refusal string `json:"-"`
}

// SignIn signs an account in at the client app with its password. A scope of "offline_access" asks for an offline session.
func (r *KeycloakRealm) SignIn(name, password, scope string) KeycloakSignIn {
	r.t.Helper()
	return r.grant(url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}, "scope": {scope}})
}

// Refresh uses a refresh token.
func (r *KeycloakRealm) Refresh(token string) KeycloakSignIn {
	r.t.Helper()
	return r.grant(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (r *KeycloakRealm) grant(form url.Values) (got KeycloakSignIn) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), keycloakPatience)
	defer cancel()
	form.Set("client_id", KeycloakApp)
	_, err := r.Server.call(ctx, http.MethodPost, "/realms/"+r.Name+"/protocol/openid-connect/token", "", form, &got)
	if answer := (*KeycloakError)(nil); errors.As(err, &answer) && answer.Status < 500 {
		_, rest, _ := strings.Cut(answer.Text, `"error_description":"`)
		got.Refusal, _, _ = strings.Cut(rest, `"`)
		if got.Refusal == "" {
			got.Refusal = answer.Text
		}
		return got
	}
	r.must(err)
	return got
}

// FederateLDAP makes the realm take its people from a slapd, below PeopleDN, with its root account. The edit mode is
// READ_ONLY, UNSYNCED or WRITABLE. It gives the provider's id.
func (r *KeycloakRealm) FederateLDAP(s *SlapdServer, editMode string) string {
	r.t.Helper()
	config := map[string][]string{}
	for key, value := range map[string]string{
		"editMode": editMode, "vendor": "other", "connectionUrl": s.URL, "bindDn": s.RootDN, "bindCredential": s.RootPassword, "authType": "simple",
		"usersDn": s.PeopleDN, "usernameLDAPAttribute": "uid", "rdnLDAPAttribute": "uid", "uuidLDAPAttribute": "entryUUID",
		"userObjectClasses": "inetOrgPerson", "searchScope": "1", "importEnabled": "true", "syncRegistrations": "false", "enabled": "true",
		"pagination": "false", "usePasswordModifyExtendedOp": "false",
	} {
		config[key] = []string{value}
	}
	name := fmt.Sprintf("ldap-%s", strings.ToLower(editMode))
	r.Call(http.MethodPost, "/components", map[string]any{
		"name": name, "providerId": "ldap", "providerType": "org.keycloak.storage.UserStorageProvider", "config": config,
	}, nil)
	var found []struct{ ID string }
	r.Call(http.MethodGet, "/components?name="+name, nil, &found)
	if len(found) != 1 {
		r.t.Fatalf("%d components are named %s", len(found), name)
	}
	return found[0].ID
}

func (r *KeycloakRealm) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}
