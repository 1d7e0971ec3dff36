package testserver

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestKeycloakSignsPeopleIn(t *testing.T) {
	r := Keycloak(t).Realm(t)
	id := r.AddUser("jdoe", "First-secret-1", nil)
	if got := r.SignIn("jdoe", "First-secret-1", "openid"); got.AccessToken == "" || r.Refresh(got.RefreshToken).AccessToken == "" {
		t.Errorf("the right password: %q", got.Refusal)
	}
	if got := r.SignIn("jdoe", "wrong", "openid"); got.Refusal != "Invalid user credentials" {
		t.Errorf("a wrong password: %q", got.Refusal)
	}
	var user struct{ Username string }
	r.Call(http.MethodGet, "/users/"+id, nil, &user)
	if user.Username != "jdoe" {
		t.Errorf("the id %s is that of %q", id, user.Username)
	}
}

func TestKeycloakTakesPeopleFromSlapd(t *testing.T) {
	s := Slapd(t)
	r := Keycloak(t).Realm(t)
	r.FederateLDAP(s, "READ_ONLY")
	jdoe := s.Person(JDoe)
	if got := r.SignIn(jdoe.UID, jdoe.Password, "openid"); got.AccessToken == "" {
		t.Errorf("with the password of the directory: %q", got.Refusal)
	}
}

func TestKeycloakEndsAndLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("another start of Keycloak takes from six seconds to a minute; it runs without -short")
	}
	if _, _, err := findKeycloak(); err != nil {
		giveUp(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), keycloakLimit)
	defer cancel()
	s, err := StartKeycloak(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	pid, dir := s.PID(), s.Dir()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) || !gone(pid) {
		t.Errorf("the process is gone: %t, the folder: %v", gone(pid), err)
	}
}

func TestScriptFetchesTheKeycloakThatIsLookedFor(t *testing.T) {
	text, err := os.ReadFile("../test-servers.sh")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nkeycloak_version="+keycloakVersion+"\n") {
		t.Errorf("deploy/test-servers.sh fetches another version than %s", keycloakVersion)
	}
}
