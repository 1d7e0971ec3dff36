package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// withKeycloak adds a real Keycloak realm that takes its people, read-only, from the stage's own directory.
func withKeycloak(t *testing.T, slapd *testserver.SlapdServer) (*testserver.KeycloakRealm, func(*harness.SiteOptions)) {
	realm := testserver.Keycloak(t).Realm(t)
	realm.FederateLDAP(slapd, "READ_ONLY")
	secret, _ := realm.ServiceClient("resetd", "view-users", "manage-users", "view-realm")
	return realm, func(o *harness.SiteOptions) {
		o.Names = append(o.Names, "sso")
		o.Secrets["keycloak.secret"] = secret
		o.Systems += fmt.Sprintf("  - {name: sso, kind: keycloak, enforcement: granted, source_system: corp-ldap, timeout: 60s,\n"+
			"     config: {base_url: %q, realm: %q, client_id: resetd, client_secret: \"file:keycloak.secret\"}}\n", realm.Server.URL, realm.Name)
	}
}

// A log-in portal copies its people from a directory. The task names the portal alone; the password is reset where it
// lives, exactly once, and then the session at the portal is dead.
func TestEndToEndACopyIsResetAtItsSourceAndItsSessionsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests build the binary; they run without -short")
	}
	slapd := testserver.Slapd(t, testserver.WithClearPasswords())
	realm, sso := withKeycloak(t, slapd)
	s := playOn(t, slapd, sso)
	who := slapd.Person(testserver.JDoe)
	session := realm.SignIn(who.UID, who.Password, "openid")
	if session.RefreshToken == "" {
		t.Fatalf("no session before: %s", session.Refusal)
	}
	text, status := s.run("send", "-c", "resetd.yaml", "--source", "soar", "--account", who.UID, "--system", "sso", "--wait=2m", "--json")
	if status != exitOK {
		t.Fatalf("status %d: %s\n%s", status, text, s.log)
	}
	task := s.newest()
	source, sessions := task.On("corp-ldap"), task.On("sso")
	if task.Status != schemas.StatusSuccessful || source == nil || source.Via != "sso" || source.Code != schemas.CodeOK || sessions.Code != schemas.CodeOK {
		t.Fatalf("%s: %+v", task.Status, task.Enforcements)
	}
	if writes, err := slapd.PasswordWrites(); err != nil || writes[strings.ToLower(who.DN)] != 1 {
		t.Errorf("the directory counted %d writes, %v", writes[strings.ToLower(who.DN)], err)
	}
	if realm.Refresh(session.RefreshToken).AccessToken != "" {
		t.Error("the session at the portal goes on")
	}
	if realm.SignIn(who.UID, who.Password, "openid").AccessToken != "" {
		t.Error("the old password still signs in at the portal")
	}
	s.told(task)
}

// On Active Directory through the real binary: the old password is dead, and Kerberos demands a new one.
func TestEndToEndActiveDirectoryDemandsANewPassword(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests build the binary; they run without -short")
	}
	samba := testserver.Samba(t, testserver.WithAccounts(3))
	s := play(t, func(o *harness.SiteOptions) {
		o.Names = []string{"corp-ad"}
		o.Secrets["ad.password"] = samba.ServicePassword
		o.Systems = fmt.Sprintf("  - name: corp-ad\n    kind: activedirectory\n    enforcement: granted\n"+
			"    config: {url: %q, bind_user: %q, password: \"file:ad.password\", base_dn: %q, tls_ca: %q}\n", samba.LDAPSURL, samba.ServiceName, samba.BaseDN, samba.CAFile)
	})
	who := samba.Person(testserver.BulkUID(1))
	task := s.ask("msg_1", samba.Domain+`\`+who.UID)[0]
	if task.Status != schemas.StatusSuccessful {
		t.Fatalf("%s %s: %s", task.Status, task.Code, task.Detail)
	}
	if conn, err := samba.Connect(who.UID+"@"+samba.DNSName, who.Password); err == nil {
		_ = conn.Close()
		t.Error("the old password still binds")
	}
	for name, code := range map[string]schemas.Code{testserver.Chief: schemas.CodeProtected, testserver.Nested: schemas.CodeProtected, "nobody": schemas.CodeAccountNotFound} {
		if task := s.ask("msg_"+name, name)[0]; task.Code != code {
			t.Errorf("%s: %s (%s), want %s", name, task.Code, task.Detail, code)
		}
	}
	s.told(task)
}
