package entra_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/schemas"
)

// codeIs fails the test unless the error has the code, and gives the failure.
func codeIs(t *testing.T, err error, want schemas.Code) *schemas.Failure {
	t.Helper()
	f, ok := errors.AsType[*schemas.Failure](err)
	if !ok || f.Code != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	return f
}

// classOf reads what an account is.
func classOf(t *testing.T, c connectors.Connector, p *person) schemas.Class {
	t.Helper()
	class, err := c.Classify(t.Context(), schemas.Identity{ID: p.id})
	if err != nil {
		t.Fatal(err)
	}
	return class
}

func TestSyncedUserIsResetAtItsSourceAndItsSessionsEndHere(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	c := connect(t, f)
	p := w.add("sam@fed.example.com", func(p *person) { p.synced, p.sid, p.domain = yes(), "S-1-5-21-7-7-7-1107", "corp.example.com" })
	class := classOf(t, c, p)
	if class.Origin != schemas.OriginSynced || class.Source == nil || *class.Source != (schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21-7-7-7-1107"}) {
		t.Errorf("the class is %+v", class)
	}
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, mode)
		codeIs(t, err, schemas.CodeResetAtSource)
	}
	if sent := f.writes(); len(sent) > 0 {
		t.Errorf("a synced account was written to: %+v", sent)
	}
	got, err := c.Revoke(t.Context(), schemas.Identity{ID: p.id})
	if err != nil || got.Code != schemas.CodeOK || !strings.Contains(got.Detail, "shows it") {
		t.Errorf("Revoke of a synced account: %+v, %v", got, err)
	}
	if after := classOf(t, c, p); after.Evidence.Same(class.Evidence) || !after.Evidence.PasswordChangedAt.Equal(class.Evidence.PasswordChangedAt) {
		t.Errorf("a revocation shows as %+v, before %+v", after.Evidence, class.Evidence)
	}
}

func TestSyncedUserWithoutSIDHasNoSource(t *testing.T) {
	w := newWorld()
	p := w.add("nosid@example.com", func(p *person) { p.synced = yes() })
	if class := classOf(t, connect(t, newFront(t, w, nil)), p); class.Origin != schemas.OriginSynced || class.Source != nil {
		t.Errorf("the class is %+v", class)
	}
}

func TestUserThatWasSyncedOnceIsNative(t *testing.T) {
	w := newWorld()
	no := false
	p := w.add("moved@example.com", func(p *person) { p.synced = &no })
	if class := classOf(t, connect(t, newFront(t, w, nil)), p); class.Origin != schemas.OriginNative {
		t.Errorf("the class is %+v", class)
	}
}

func TestFederatedUserIsNotResetButItsSessionsEnd(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	c := connect(t, f)
	p := w.add("fay@FED.example.com", nil)
	if class := classOf(t, c, p); class.Origin != schemas.OriginFederated {
		t.Errorf("the class is %+v", class)
	}
	_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
	codeIs(t, err, schemas.CodeNotApplicable)
	if sent := f.writes(); len(sent) > 0 {
		t.Errorf("a federated account was written to: %+v", sent)
	}
	if got, err := c.Revoke(t.Context(), schemas.Identity{ID: p.id}); err != nil || got.Code != schemas.CodeOK {
		t.Errorf("Revoke of a federated account: %+v, %v", got, err)
	}
}

// Without the right to read domains Entra itself is the one who knows.
func TestFederatedUserThatCannotBeToldIsRefusedByEntraOnce(t *testing.T) {
	w := newWorld()
	w.apps[appFull].permissions = without(leastPrivilege, "Domain.Read.All")
	f := newFront(t, w, nil)
	c := connect(t, f)
	p := w.add("fay@fed.example.com", nil)
	if class := classOf(t, c, p); class.Origin != schemas.OriginNative || !strings.Contains(class.Why, "Domain.Read.All") {
		t.Errorf("the class is %+v", class)
	}
	_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
	codeIs(t, err, schemas.CodeNotApplicable)
	if len(f.writes()) != 1 {
		t.Errorf("a refusal that is not about the password was answered with %d attempts", len(f.writes()))
	}
}

func TestGuestIsNeitherResetNorSignedOut(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	c := connect(t, f)
	for name, p := range map[string]*person{
		"by name": w.add("ann_partner.example#EXT#@contoso.onmicrosoft.com", nil),
		"by type": w.add("guest@example.com", func(p *person) { p.kind = "Guest" }),
		"by name, though called a member and synced": w.add("bob_partner.example#ext#@contoso.onmicrosoft.com", func(p *person) { p.synced = yes() }),
	} {
		if class := classOf(t, c, p); class.Origin != schemas.OriginGuest {
			t.Errorf("%s: the class is %+v", name, class)
		}
		_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
		codeIs(t, err, schemas.CodeNotApplicable)
		got, err := c.Revoke(t.Context(), schemas.Identity{ID: p.id})
		if err != nil || got.Code != schemas.CodeUnsupported || got.Detail == "" {
			t.Errorf("%s: Revoke gives %+v, %v", name, got, err)
		}
	}
	if sent := f.writes(); len(sent) > 0 {
		t.Errorf("a guest was written to: %+v", sent)
	}
}

func TestResetSendsThePasswordProfileAndNothingElse(t *testing.T) {
	w := newWorld()
	f := newFront(t, w, nil)
	for _, mfa := range []bool{false, true} {
		config := f.config()
		config.MFAFirst = mfa
		c := open(t, config)
		for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
			p := w.add("only-"+string(mode)+"@example.com", nil)
			before := len(f.writes())
			if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, mode); err != nil {
				t.Fatal(err)
			}
			sent := f.writes()[before:]
			if len(sent) != 1 {
				t.Fatalf("%d writes for one reset", len(sent))
			}
			var body map[string]map[string]any
			if err := json.Unmarshal([]byte(sent[0].body), &body); err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{"forceChangePasswordNextSignIn": !mfa, "forceChangePasswordNextSignInWithMfa": mfa, "password": mode == schemas.ModeRandomize}
			for name, there := range want {
				if _, ok := body["passwordProfile"][name]; ok != there {
					t.Errorf("%s, mfa_first %t: %s is sent: %t", mode, mfa, name, ok)
				}
			}
			if len(body) != 1 || sent[0].path != "/v1.0/users/"+p.id {
				t.Errorf("sent to %s with %d properties", sent[0].path, len(body))
			}
			if w.login(p.id, p.password) != conformance.LoginMustChange {
				t.Errorf("%s, mfa_first %t: no change is demanded", mode, mfa)
			}
		}
		_ = c.Close()
	}
}

func TestPasswordThatThePolicyRejectsIsFollowedByAnotherThreeAtMost(t *testing.T) {
	for _, one := range []struct{ rejects, sent int }{{1, 2}, {2, 3}, {9, 3}} {
		w := newWorld()
		c := connect(t, newFront(t, w, nil))
		p := w.add("picky@example.com", nil)
		w.rejects = one.rejects
		got, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
		if one.rejects >= 3 {
			codeIs(t, err, schemas.CodePasswordRejected)
		} else if err != nil || got.Code != schemas.CodeOK {
			t.Errorf("%d rejected: %+v, %v", one.rejects, got, err)
		}
		if n := len(w.sent()); n != one.sent {
			t.Errorf("%d rejected: %d passwords were sent, want %d", one.rejects, n, one.sent)
		}
	}
}

func TestResetRightAfterAnotherCanBeToldFromIt(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	p := w.add("twice@example.com", func(p *person) { p.changed = now() })
	before := classOf(t, c, p).Evidence
	if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, before)
	if err != nil || !proof.Changed || proof.State != schemas.ProofEnforced {
		t.Errorf("a password set within a second of the last shows as %+v, %v", proof, err)
	}
}

func TestExpireTellsThatTheDemandWasThere(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	p := w.add("flagged@example.com", func(p *person) { p.mustChange = true })
	got, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeExpire)
	if err != nil || got.Code != schemas.CodeAlreadyInForce {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEvidenceHoldsTheTimesOfTheRecord(t *testing.T) {
	w := newWorld()
	at := time.Date(2026, 11, 20, 8, 30, 15, 0, time.UTC)
	p := w.add("dated@example.com", func(p *person) { p.changed, p.sessions, p.enabled = at, at.Add(time.Hour), false })
	class := classOf(t, connect(t, newFront(t, w, nil)), p)
	if e := class.Evidence; !e.PasswordChangedAt.Equal(at) || e.Marker != "2026-11-20T09:30:15Z" || e.MustChange {
		t.Errorf("the evidence is %+v", e)
	}
	if class.Enabled || !strings.Contains(class.Why, "accountEnabled") {
		t.Errorf("a disabled account is %+v", class)
	}
}

// without gives a list of permissions less some.
func without(all []string, some ...string) (out []string) {
	for _, one := range all {
		if !strings.Contains(" "+strings.Join(some, " ")+" ", " "+one+" ") {
			out = append(out, one)
		}
	}
	return out
}

// get tells whether a request is one of reading, for the tests that fail writes.
func get(r *http.Request) bool { return r.Method == http.MethodGet }
