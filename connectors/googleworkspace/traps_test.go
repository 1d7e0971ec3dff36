package googleworkspace_test

import (
	"net/http"
	"testing"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

func TestBehindAnotherIdentityProviderNothingIsResetAndSessionsAreEnded(t *testing.T) {
	t.Parallel()
	g, c := plain(t, func(c *googleworkspace.Config) { c.ThirdPartyIDP = "always" })
	a := g.add("jdoe@example.com")
	password, class := a.password, classOf(t, c, a)
	if class.Origin != schemas.OriginFederated {
		t.Errorf("the account is %s, want federated", class.Origin)
	}
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err := c.Reset(t.Context(), idOf(a), mode)
		wantWords(t, wantCode(t, err, schemas.CodeNotApplicable), "another identity provider", "nothing was changed")
	}
	if got := g.look(a.id); got.password != password || got.mustChange || g.sent("directory.users.update") > 0 {
		t.Error("the account was changed")
	}
	proof, err := c.Verify(t.Context(), idOf(a), class.Evidence)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced {
		t.Errorf("Verify: %+v (%v), want not_enforced by unenforced", proof, err)
	}
	if got, err := c.Revoke(t.Context(), idOf(a)); err != nil || got.Code != schemas.CodeOK || g.look(a.id).sessions != 0 {
		t.Errorf("Revoke: %+v (%v), %d sessions left", got, err, g.look(a.id).sessions)
	}
}

// Where SSO is set up without an SSO profile, Google takes the flag and does not set it.
func TestDemandThatGoogleDropsIsUnenforced(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	g.ignoresFlag = true
	for mode, words := range map[schemas.Mode]string{schemas.ModeRandomize: "no earlier one works", schemas.ModeExpire: "nothing was changed"} {
		a := g.add(string(mode) + "@example.com")
		password, before := a.password, classOf(t, c, a).Evidence
		_, err := c.Reset(t.Context(), idOf(a), mode)
		wantWords(t, wantCode(t, err, schemas.CodeUnenforced), words, "third_party_idp")
		proof, err := c.Verify(t.Context(), idOf(a), before)
		if err != nil || proof.State != schemas.ProofNotEnforced {
			t.Errorf("%s: Verify: %+v (%v)", mode, proof, err)
		}
		if old := g.login(a.id, password); (old == conformance.LoginRefused) != (mode == schemas.ModeRandomize) {
			t.Errorf("%s: the old password is %s", mode, old)
		}
	}
}

func TestQuotaIsToldFromAMissingRightThoughBothAre403(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a := g.add("jdoe@example.com")
	for reason, code := range map[string]schemas.Code{
		"userRateLimitExceeded": schemas.CodeRateLimited, "quotaExceeded": schemas.CodeRateLimited, "rateLimitExceeded": schemas.CodeRateLimited,
		"forbidden": schemas.CodePermissionMissing, "insufficientPermissions": schemas.CodePermissionMissing, "accessNotConfigured": schemas.CodePermissionMissing,
	} {
		g.refuse = func(m *method, r *http.Request) *problem {
			if r.Method != http.MethodPut {
				return nil
			}
			return &problem{status: 403, reason: reason, message: "not now"}
		}
		_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		if got := schemas.CodeOf(err); got != code {
			t.Errorf("403 %s: code %s, want %s", reason, got, code)
		}
	}
	if g.look(a.id).mustChange {
		t.Error("the account was changed")
	}
}

func TestAdministratorsAreProtectedAndNotAMatterOfPermission(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	for name, make := range map[string]func(*account){
		"super":     func(a *account) { a.super = true },
		"delegated": func(a *account) { a.delegated = true },
	} {
		a := g.add(name + "@example.com")
		make(a)
		if class := classOf(t, c, a); !class.Privileged {
			t.Errorf("%s: not told as privileged", name)
		}
		_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		wantWords(t, wantCode(t, err, schemas.CodeProtected), a.primary, "super administrator")
		_, err = c.Revoke(t.Context(), idOf(a))
		wantCode(t, err, schemas.CodeProtected)
	}
}

func TestOwnAccountIsProtected(t *testing.T) {
	t.Parallel()
	g, c := plain(t, as("ROOT@example.com"))
	root := g.find("root@example.com")
	root.aliases = []string{"postmaster@example.com"}
	_, err := c.Reset(t.Context(), idOf(root), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeProtected)
	_, err = open(t, configOf(g.door(t, nil), as("postmaster@example.com"))).Reset(t.Context(), idOf(root), schemas.ModeExpire)
	wantCode(t, err, schemas.CodeProtected)
	if g.sent("directory.users.update") > 0 {
		t.Error("the own account was changed")
	}
}

func TestAsSuperAdministratorAnAdministratorCanBeReset(t *testing.T) {
	t.Parallel()
	g, c := plain(t, as("root@example.com"))
	a := g.add("boss@example.com")
	a.super = true
	if _, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize); err != nil || !g.look(a.id).mustChange {
		t.Errorf("Reset: %v", err)
	}
}

func TestGuestsHaveNoPasswordHere(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a := g.add("visitor@example.com")
	a.guest = true
	if got := classOf(t, c, a); got.Origin != schemas.OriginGuest {
		t.Errorf("a guest is %s", got.Origin)
	}
	_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeNotApplicable)
}

func TestSuspendedAndArchivedAreNotEnabledAndStaySo(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a, b := g.add("asleep@example.com"), g.add("gone@example.com")
	a.suspended, b.archived = true, true
	for _, one := range []*account{a, b} {
		if classOf(t, c, one).Enabled {
			t.Errorf("%s is told as enabled", one.primary)
		}
		if _, err := c.Reset(t.Context(), idOf(one), schemas.ModeRandomize); err != nil {
			t.Error(err)
		}
	}
	if !g.look(a.id).suspended || !g.look(b.id).archived {
		t.Error("a reset enabled an account")
	}
}

func TestPasswordThatGoogleDislikesIsMadeAnewThreeTimesAtMost(t *testing.T) {
	t.Parallel()
	for weak, code := range map[int]schemas.Code{2: schemas.CodeOK, 3: schemas.CodePasswordRejected} {
		g, c := plain(t)
		a := g.add("jdoe@example.com")
		g.weak = weak
		_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		if got := schemas.CodeOf(err); got != code || len(g.passwords) != 3 || len(g.passwords[2]) != 100 {
			t.Errorf("%d weak ones: code %s after %d passwords, want %s after 3, the last the longest that Google takes", weak, got, len(g.passwords), code)
		}
		if g.look(a.id).mustChange != (code == schemas.CodeOK) {
			t.Errorf("%d weak ones: must change %t", weak, g.look(a.id).mustChange)
		}
	}
}
