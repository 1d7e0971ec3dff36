package keycloak_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// What a thief who has stolen password and session can do before and after.
func TestAResetEndsTheSessionsAndTheOldPassword(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	s.allowOffline(p.ID)
	c := open(t, s.config())
	before := classify(t, c, p.ID).Evidence

	browser := s.Browser()
	if page := browser.SignIn(p.Account.Value, p.Password); page.Code == "" {
		t.Fatalf("the log-in form does not let jdoe in: %+v", page)
	}
	online, offline := s.SignIn(p.Account.Value, p.Password, "openid"), s.SignIn(p.Account.Value, p.Password, "openid offline_access")
	for name, one := range map[string]string{"online": online.RefreshToken, "offline": offline.RefreshToken} {
		if s.Refresh(one).AccessToken == "" {
			t.Fatalf("the %s session does not go on to begin with", name)
		}
	}
	if page := browser.Open(); page.Code == "" {
		t.Fatalf("the browser's session does not go on to begin with: %+v", page)
	}

	if _, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	got, err := c.Revoke(t.Context(), identity(p.ID))
	if err != nil || got.Code != schemas.CodeOK || !strings.Contains(got.Detail, "offline sessions") || !strings.Contains(got.Detail, "expire") {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	proof, err := c.Verify(t.Context(), identity(p.ID), before)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}

	for name, one := range map[string]string{"online": online.RefreshToken, "offline": offline.RefreshToken} {
		if again := s.Refresh(one); again.AccessToken != "" {
			t.Errorf("the %s session goes on", name)
		}
	}
	if page := browser.Open(); page.Code != "" || page.Form == "" {
		t.Errorf("the browser's session goes on: %+v", page)
	}
	if page := s.Browser().SignIn(p.Account.Value, p.Password); page.Code != "" || page.Demand != "" {
		t.Errorf("the log-in form takes the old password: %+v", page)
	}
	if s.SignIn(p.Account.Value, p.Password, "openid").AccessToken != "" {
		t.Error("the old password works")
	}
}

// What the help desk hands out opens nothing but the change of it.
func TestTheNewPasswordOpensNothingButItsChange(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	through := newProxy(t, s.Server)
	if _, err := open(t, s.at(through.URL)).Reset(t.Context(), identity(p.ID), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	made := through.seen()
	if len(made) != 1 {
		t.Fatalf("%d passwords were sent", len(made))
	}
	if got := s.SignIn(p.Account.Value, made[0], "openid"); got.Refusal != "Account is not fully set up" {
		t.Errorf("the direct grant says %q", got.Refusal)
	}
	browser := s.Browser()
	page := browser.SignIn(p.Account.Value, made[0])
	if page.Demand != "UPDATE_PASSWORD" || page.Code != "" {
		t.Fatalf("the log-in form leads to %+v", page)
	}
	page = browser.Submit(page, url.Values{"password-new": {"My-own-words-2"}, "password-confirm": {"My-own-words-2"}})
	if page.Code == "" {
		t.Errorf("after the change: %+v", page)
	}
	if s.SignIn(p.Account.Value, "My-own-words-2", "openid").AccessToken == "" || s.SignIn(p.Account.Value, made[0], "openid").AccessToken != "" {
		t.Error("the user's own password does not take the place of ours")
	}
}

func TestExpireLetsTheOldPasswordDoNothingButItsChange(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	c := open(t, s.config())
	got, err := c.Reset(t.Context(), identity(p.ID), schemas.ModeExpire)
	if err != nil || !strings.Contains(got.Detail, "old one still opens") {
		t.Errorf("the receipt does not warn: %+v, %v", got, err)
	}
	if page := s.Browser().SignIn(p.Account.Value, p.Password); page.Demand != "UPDATE_PASSWORD" {
		t.Errorf("the log-in form leads to %+v", page)
	}
}

// A log-out leaves offline sessions in place. It makes their tokens stale, but by whole seconds: one of that very second
// goes on.
func TestOfflineSessionsAreEndedUnlessTheSettingsSayOtherwise(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	s.allowOffline(p.ID)
	offline := s.SignIn(p.Account.Value, p.Password, "openid offline_access")
	kept := func() int {
		var consents []struct{ AdditionalGrants []any }
		s.Call(http.MethodGet, "/users/"+p.ID+"/consents", nil, &consents)
		return len(consents)
	}
	config := s.config()
	config.RevokeOffline = false
	got, err := open(t, config).Revoke(t.Context(), identity(p.ID))
	if err != nil || !strings.Contains(got.Detail, "revoke_offline") || kept() != 1 {
		t.Errorf("%+v, %v; %d offline sessions are left, want 1", got, err, kept())
	}
	if _, err := open(t, s.config()).Revoke(t.Context(), identity(p.ID)); err != nil || kept() != 0 {
		t.Errorf("%v; %d offline sessions are left", err, kept())
	}
	if s.Refresh(offline.RefreshToken).AccessToken != "" {
		t.Error("the offline session goes on")
	}
}

// A log-out that did nothing must not be reported as one that did.
func TestALogOutThatEndsNothingIsNoSuccess(t *testing.T) {
	s := newSite(t)
	p := s.somebody()
	if s.SignIn(p.Account.Value, p.Password, "openid").AccessToken == "" {
		t.Fatal("jdoe cannot sign in")
	}
	through := newProxy(t, s.Server)
	through.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/logout") {
			return false
		}
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	_, err := open(t, s.at(through.URL)).Revoke(t.Context(), identity(p.ID))
	wantCode(t, err, schemas.CodeUnavailable)
}
