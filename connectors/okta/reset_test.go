package okta_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestWhatAResetDoesInEveryStatus(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	ok, already, conflict := schemas.CodeOK, schemas.CodeAlreadyInForce, schemas.CodeConflict
	modes := []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire, schemas.ModeRecovery}
	for status, want := range map[string][3]schemas.Code{ // randomize, expire, recovery
		"ACTIVE":           {ok, ok, ok},
		"PASSWORD_EXPIRED": {ok, already, ok},
		"RECOVERY":         {ok, already, already},
		"LOCKED_OUT":       {ok, ok, ok},
		"STAGED":           {conflict, conflict, conflict},
		"PROVISIONED":      {conflict, conflict, conflict},
		"SUSPENDED":        {conflict, conflict, conflict},
		"DEPROVISIONED":    {conflict, conflict, conflict},
		"SOMETHING_NEW":    {conflict, conflict, conflict},
	} {
		for i, mode := range modes {
			p := o.add(person{Status: status})
			got, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, mode)
			code := got.Code
			if err != nil {
				code = schemas.CodeOf(err)
			}
			if code != want[i] {
				t.Errorf("%s, %s: %s (%v), want %s", status, mode, code, err, want[i])
			}
			if sent := len(o.sent(p.ID + "/lifecycle")); (sent > 0) != (want[i] == ok) {
				t.Errorf("%s, %s: %d changes were sent", status, mode, sent)
			}
			if after := o.now(p.ID); want[i] != ok && after.Status != status {
				t.Errorf("%s, %s: the status is %s now", status, mode, after.Status)
			}
		}
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	config := byToken(o, o.url)
	c := connect(t, config)
	for mode, want := range map[schemas.Mode]string{
		schemas.ModeRandomize: "/lifecycle/expire_password_with_temp_password?revokeSessions=false",
		schemas.ModeExpire:    "/lifecycle/expire_password",
		schemas.ModeRecovery:  "/lifecycle/reset_password?revokeSessions=false&sendEmail=true",
	} {
		p := o.add(person{})
		if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, mode); err != nil {
			t.Fatal(err)
		}
		if sent := o.sent("POST /api/v1/users/" + p.ID); !slices.Equal(sent, []string{"POST /api/v1/users/" + p.ID + want}) {
			t.Errorf("%s: %q", mode, sent)
		}
		if o.now(p.ID).Sessions == 0 {
			t.Errorf("%s: the sessions are gone, although nobody asked for that", mode)
		}
	}
	p := o.add(person{})
	for _, want := range []string{"forgetDevices=false&oauthTokens=true", "forgetDevices=true&oauthTokens=false"} {
		if _, err := connect(t, config).Revoke(t.Context(), schemas.Identity{ID: p.ID}); err != nil {
			t.Fatal(err)
		}
		if got := o.revokes[len(o.revokes)-1]; got != want {
			t.Errorf("revoked with %s, want %s", got, want)
		}
		config.RevokeOAuthTokens, config.ForgetDevices = false, true
	}
}

func TestTheOwnerOfTheTokenIsNotReset(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	_, err := connect(t, byToken(o, o.url)).Reset(t.Context(), schemas.Identity{ID: ownerID}, schemas.ModeRandomize)
	if schemas.CodeOf(err) != schemas.CodeProtected || len(o.sent("/lifecycle")) > 0 {
		t.Errorf("%v", err)
	}
}

func TestAnAdministratorIsToldFromAMissingRight(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byApp(o, o.url))
	admin, plain := o.add(person{Roles: []string{"APP_ADMIN"}}), o.add(person{})
	reset := func(p person) error {
		_, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize)
		return err
	}
	if err := reset(admin); schemas.CodeOf(err) != schemas.CodeProtected {
		t.Errorf("an administrator: %v", err)
	}
	if _, err := c.Revoke(t.Context(), schemas.Identity{ID: admin.ID}); schemas.CodeOf(err) != schemas.CodeProtected {
		t.Errorf("an administrator's sessions: %v", err)
	}
	o.mu.Lock()
	delete(o.allowed, "okta.users.credentials.expirePassword")
	o.mu.Unlock()
	err := reset(plain)
	if schemas.CodeOf(err) != schemas.CodePermissionMissing || !strings.Contains(err.Error(), "okta.users.credentials.expirePassword") || !strings.Contains(err.Error(), "okta.users.manage") {
		t.Errorf("a right is missing: %v", err)
	}
	o.mu.Lock()
	delete(o.allowed, "okta.iam.read")
	o.mu.Unlock()
	if err := reset(plain); schemas.CodeOf(err) != schemas.CodePermissionMissing || !strings.Contains(err.Error(), "administers") {
		t.Errorf("it cannot be told: %v", err)
	}
}

func TestAStatusThatIsJustBeingChangedIsWaitedFor(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{Transition: "DEPROVISIONED"})
	_, err := connect(t, byToken(o, o.url)).Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize)
	if schemas.CodeOf(err) != schemas.CodeUnavailable || len(o.sent("/lifecycle")) > 0 {
		t.Errorf("%v", err)
	}
}

// opened makes a connector with sealed delivery.
func opened(t *testing.T, o *imitation, seal func(schemas.Secret) (string, error)) connectors.Connector {
	t.Helper()
	c, err := byToken(o, o.url).Open(connectors.Env{System: "acme-okta", Seal: seal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTheTemporaryPasswordIsSealedOrDropped(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	reset := func(seal func(schemas.Secret) (string, error)) (person, schemas.Receipt, error) {
		p := o.add(person{})
		got, err := opened(t, o, seal).Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize)
		for _, temp := range o.temps {
			if strings.Contains(fmt.Sprintf("%+v %v", got, err), temp) {
				t.Errorf("the temporary password shows: %+v, %v", got, err)
			}
		}
		return o.now(p.ID), got, err
	}
	var last string
	p, got, err := reset(func(s schemas.Secret) (string, error) { last = s.Reveal(); return "sealed", nil })
	if err != nil || got.Sealed != "sealed" || last != p.Password {
		t.Errorf("sealed: %+v, %v", got, err)
	}
	p, got, err = reset(func(schemas.Secret) (string, error) { return "", errors.New("no recipient") })
	if schemas.CodeOf(err) != schemas.CodeUnexpected || p.Status != "ACTIVE" || got.Sealed != "" {
		t.Errorf("sealing does not work: %+v, %v, %s", got, err, p.Status)
	}
	calls := 0
	p, got, err = reset(func(schemas.Secret) (string, error) {
		if calls++; calls > 1 {
			return "", errors.New("no recipient any more")
		}
		return "sealed", nil
	})
	if err != nil || got.Code != schemas.CodeOK || got.Sealed != "" || p.Status != "PASSWORD_EXPIRED" {
		t.Errorf("sealing works no more: %+v, %v, %s", got, err, p.Status)
	}
}

func TestALinkThatOktaShowsInPlaceOfMailingItIsNotRead(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.linkShown = true
	p := o.add(person{})
	got, err := connect(t, byToken(o, o.url)).Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRecovery)
	if err != nil || strings.Contains(fmt.Sprintf("%#v", got), resetToken) {
		t.Errorf("%+v, %v", got, err)
	}
	if len(o.mails) != 1 || !strings.HasPrefix(o.mails[0], p.Email) {
		t.Errorf("mailed: %d", len(o.mails))
	}
}

func TestASecondPasswordWaitsForTheNextSecond(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	p := o.add(person{})
	o.change(p.ID, func(p *person) { p.Changed = time.Now().Truncate(time.Second) })
	class, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.ID}, class.Evidence); err != nil || !proof.Changed || proof.State != schemas.ProofEnforced {
		t.Errorf("%+v, %v", proof, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	o.change(p.ID, func(p *person) { p.Changed = time.Now().Truncate(time.Second) })
	if _, err := c.Reset(ctx, schemas.Identity{ID: p.ID}, schemas.ModeRandomize); schemas.CodeOf(err) != schemas.CodeUnavailable || len(o.sent(p.ID+"/lifecycle")) != 1 {
		t.Errorf("a call that ends in between: %v", err)
	}
}

func TestVerifyTellsWhatCameInBetween(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	for _, one := range []struct {
		name    string
		then    func(*person)
		state   schemas.ProofState
		code    schemas.Code
		changed bool
	}{
		{"nothing", func(*person) {}, schemas.ProofNotEnforced, "", false},
		{"expired", func(p *person) { p.to("PASSWORD_EXPIRED") }, schemas.ProofEnforced, "", false},
		{"recovery", func(p *person) { p.to("RECOVERY") }, schemas.ProofEnforced, "", false},
		{"the user chose a new one", func(p *person) { p.Changed = time.Now() }, schemas.ProofNotEnforced, schemas.CodeConflict, true},
		{"locked out on top", func(p *person) { p.Changed = time.Now(); p.to("LOCKED_OUT") }, schemas.ProofUnknown, "", true},
		{"suspended", func(p *person) { p.to("SUSPENDED") }, schemas.ProofNotEnforced, schemas.CodeConflict, false},
		{"deactivated", func(p *person) { p.to("DEPROVISIONED") }, schemas.ProofNotEnforced, schemas.CodeConflict, false},
	} {
		p := o.add(person{})
		class, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID})
		if err != nil {
			t.Fatal(err)
		}
		o.change(p.ID, one.then)
		proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.ID}, class.Evidence)
		if err != nil || proof.State != one.state || proof.Code != one.code || proof.Changed != one.changed || proof.Detail == "" {
			t.Errorf("%s: %+v, %v", one.name, proof, err)
		}
	}
	// Expired before, and nothing since: that proves nothing.
	p := o.add(person{Status: "PASSWORD_EXPIRED"})
	class, _ := c.Classify(t.Context(), schemas.Identity{ID: p.ID})
	if proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.ID}, class.Evidence); err != nil || proof.State != schemas.ProofNotEnforced {
		t.Errorf("expired before: %+v, %v", proof, err)
	}
	// Without earlier evidence it is what it is: so a reset that was already in force can be proved.
	if proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.ID}, schemas.Evidence{}); err != nil || proof.State != schemas.ProofEnforced {
		t.Errorf("expired, and nothing to compare with: %+v, %v", proof, err)
	}
}
