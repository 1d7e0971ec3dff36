package googleworkspace_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

func TestRevokeTakesAwayWhatTheSettingsName(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ tokens, asps, codes bool }{{true, true, false}, {false, false, false}, {true, false, true}, {false, true, true}} {
		g, c := plain(t, func(c *googleworkspace.Config) {
			c.RevokeTokens, c.RevokeAppPasswords, c.RevokeBackupCodes = one.tokens, one.asps, one.codes
		})
		a := g.add("jdoe@example.com")
		if _, err := c.Revoke(t.Context(), idOf(a)); err != nil {
			t.Fatal(err)
		}
		got := g.look(a.id)
		if got.sessions != 0 || (len(got.clients) == 0) != one.tokens || (len(got.asps) == 0) != one.asps || got.backupCodes == one.codes {
			t.Errorf("%+v: %d sessions, applications %v, app passwords %v, backup codes %t", one, got.sessions, got.clients, got.asps, got.backupCodes)
		}
	}
	if d := googleworkspace.Kind().New().(*googleworkspace.Config); !d.RevokeTokens || !d.RevokeAppPasswords || d.RevokeBackupCodes {
		t.Error("the defaults are not: applications and app passwords, but not backup codes")
	}
}

func TestPartThatFailsIsToldAndTheOthersAreDone(t *testing.T) {
	t.Parallel()
	for part, word := range map[string]string{"signOut": "the sessions", "tokens": "what applications were allowed", "asps": "the app passwords"} {
		g, c := plain(t)
		a := g.add("jdoe@example.com")
		g.refuse = func(_ *method, r *http.Request) *problem {
			if !strings.Contains(r.URL.Path, part) {
				return nil
			}
			return &problem{status: 403, reason: "quotaExceeded", message: "Quota exceeded"}
		}
		_, err := c.Revoke(t.Context(), idOf(a))
		wantWords(t, wantCode(t, err, schemas.CodeRateLimited), "not taken away: "+word, "done: ")
		got := g.look(a.id)
		if left := btoi(got.sessions > 0) + btoi(len(got.clients) > 0) + btoi(len(got.asps) > 0); left != 1 {
			t.Errorf("%s fails: %d parts are left, want that one", part, left)
		}
		g.refuse = nil
		if _, err := c.Revoke(t.Context(), idOf(a)); err != nil {
			t.Errorf("%s, the second time: %v", part, err)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Two tasks may revoke the same account at the same time.
func TestWhatIsGoneAlreadyIsTakenAway(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a := g.add("jdoe@example.com")
	g.refuse = func(_ *method, r *http.Request) *problem {
		if r.Method != http.MethodDelete {
			return nil
		}
		return &problem{status: 404, reason: "notFound", message: "Token not found"}
	}
	if _, err := c.Revoke(t.Context(), idOf(a)); err != nil {
		t.Error(err)
	}
}

func TestRevokeWithoutTheSecurityPrivilegeNamesIt(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	g.roles["11"] = role{privileges: withoutOne(g.roles["11"].privileges, "USER_SECURITY_ALL")}
	_, err := c.Revoke(t.Context(), idOf(g.add("jdoe@example.com")))
	wantWords(t, wantCode(t, err, schemas.CodePermissionMissing), "User security management", "resetd@example.com")
}
