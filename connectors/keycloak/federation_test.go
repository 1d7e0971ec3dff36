package keycloak_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// federated is a realm that takes its people from a real slapd.
func federated(t *testing.T, mode string, roles ...string) (site, *testserver.SlapdServer, testserver.Person, connectors.Connector, schemas.Identity) {
	t.Helper()
	directory := testserver.Slapd(t)
	s := ownSite(t, append(roles, "view-users", "manage-users")...)
	s.FederateLDAP(directory, mode)
	jdoe := directory.Person(testserver.JDoe)
	c := open(t, s.config())
	id, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: jdoe.UID})
	if err != nil {
		t.Fatal(err)
	}
	return s, directory, jdoe, c, id
}

// untouched fails the test if anything was changed, on either side.
func untouched(t *testing.T, s site, directory *testserver.SlapdServer, jdoe testserver.Person, id string) {
	t.Helper()
	if got := s.actions(id); len(got) > 0 {
		t.Errorf("the account must %v", got)
	}
	writes, err := directory.PasswordWrites()
	if err != nil || len(writes) > 0 {
		t.Errorf("passwords were written to the directory: %v, %v", writes, err)
	}
	if got := s.login(t, jdoe.UID, jdoe.Password); got != "accepted" {
		t.Errorf("the password of the directory is %s", got)
	}
}

func TestAnAccountThatKeycloakMayOnlyReadIsResetAtItsSource(t *testing.T) {
	for _, mode := range []string{"READ_ONLY", "UNSYNCED"} {
		t.Run(mode, func(t *testing.T) {
			s, directory, jdoe, c, id := federated(t, mode, "view-realm")
			class := classify(t, c, id.ID)
			uuid, err := directory.Values(jdoe.DN, "entryUUID")
			if err != nil {
				t.Fatal(err)
			}
			if class.Origin != schemas.OriginSynced || class.Source == nil || *class.Source != (schemas.Account{Type: schemas.AccountObjectID, Value: uuid[0]}) {
				t.Errorf("%+v, source %+v; want synced, from %s", class, class.Source, uuid)
			}
			if !strings.Contains(class.Why, mode) {
				t.Errorf("the class does not tell why: %s", class.Why)
			}
			for _, how := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
				_, err := c.Reset(t.Context(), id, how)
				wantCode(t, err, schemas.CodeResetAtSource)
			}
			untouched(t, s, directory, jdoe, id.ID)
			// Its sessions are Keycloak's, and are ended here.
			session := s.SignIn(jdoe.UID, jdoe.Password, "openid")
			if _, err := c.Revoke(t.Context(), id); err != nil {
				t.Error(err)
			}
			if s.Refresh(session.RefreshToken).AccessToken != "" {
				t.Error("the session goes on")
			}
		})
	}
}

// What would happen without that guard: Keycloak would set a copy, and the stolen password would go on working elsewhere.
func TestUnsyncedIsATrap(t *testing.T) {
	s, directory, jdoe, _, id := federated(t, "UNSYNCED")
	s.Call(http.MethodPut, "/users/"+id.ID+"/reset-password", map[string]any{"type": "password", "value": "Only-a-copy-1", "temporary": true}, nil)
	if _, err := directory.Bind(jdoe.DN, jdoe.Password); err != nil {
		t.Errorf("the directory does not take the old password any more (%v); UNSYNCED is no trap", err)
	}
}

// Without view-realm the edit mode cannot be read. A password in the wrong place would be a success that is none.
func TestAnAccountFromADirectoryOfUnknownModeIsLeftAlone(t *testing.T) {
	s, directory, jdoe, c, id := federated(t, "WRITABLE")
	class := classify(t, c, id.ID)
	if class.Origin != schemas.OriginSynced || !strings.Contains(class.Why, "view-realm") {
		t.Errorf("%+v", class)
	}
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodeResetAtSource); !strings.Contains(detail, "view-realm") {
		t.Errorf("the detail does not tell what to grant: %s", detail)
	}
	if got := probe(t, c); !mentions(got.Warn, "view-realm") {
		t.Errorf("the probe does not warn: %q", got.Warn)
	}
	untouched(t, s, directory, jdoe, id.ID)
}

func TestAWritableDirectoryGetsThePassword(t *testing.T) {
	s, directory, jdoe, c, id := federated(t, "WRITABLE", "view-realm")
	class := classify(t, c, id.ID)
	if class.Origin != schemas.OriginNative || !strings.Contains(class.Why, "WRITABLE") {
		t.Errorf("%+v", class)
	}
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	proof, err := c.Verify(t.Context(), id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("%+v, %v; before %+v", proof, err, class.Evidence)
	}
	if _, err := directory.Bind(jdoe.DN, jdoe.Password); err == nil {
		t.Error("the old password works in the directory")
	}
	if got := s.login(t, jdoe.UID, jdoe.Password); got != "refused" {
		t.Errorf("the old password is %s in Keycloak", got)
	}
}

// The edit mode may change between our reading and our writing: then Keycloak's own refusal counts.
func TestKeycloaksOwnRefusalOfAReadOnlyAccountIsUnderstood(t *testing.T) {
	s, directory, jdoe, _, id := federated(t, "READ_ONLY", "view-realm")
	through := newProxy(t, s.Server)
	through.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/components/") {
			return false
		}
		_, _ = io.WriteString(w, `{"name":"ldap","providerId":"ldap","config":{"editMode":["WRITABLE"]}}`)
		return true
	}
	_, err := open(t, s.at(through.URL)).Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeResetAtSource)
	if len(through.seen()) != 1 {
		t.Errorf("Keycloak was asked %d times", len(through.seen()))
	}
	untouched(t, s, directory, jdoe, id.ID)
}
