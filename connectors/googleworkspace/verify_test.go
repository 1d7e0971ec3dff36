package googleworkspace_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

// losing is a door behind which a change is made or not made, and is never answered.
func losing(made bool) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, g http.Handler) {
		if r.Method == http.MethodPut && !made {
			cut(w)
			return
		}
		if r.Method == http.MethodPut {
			g.ServeHTTP(httptest.NewRecorder(), r)
			cut(w)
			return
		}
		g.ServeHTTP(w, r)
	}
}

// lost resets an account whose answer never arrives, and gives what a healthy connector proves of it afterwards.
func lost(t *testing.T, made, flagged bool, change func(*googleworkspace.Config)) (*google, *account, schemas.Proof, connectors.Connector, schemas.Evidence) {
	t.Helper()
	g := newGoogle(t)
	a := g.add("jdoe@example.com")
	a.mustChange = flagged
	healthy := open(t, configOf(g.door(t, nil), change))
	since := classOf(t, healthy, a).Evidence
	_, err := open(t, configOf(g.door(t, losing(made)), change)).Reset(t.Context(), idOf(a), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeTimedOut)
	proof, err := healthy.Verify(t.Context(), idOf(a), since)
	if err != nil {
		t.Fatal(err)
	}
	return g, a, proof, healthy, since
}

func TestLostAnswerIsToldByTheProofAttribute(t *testing.T) {
	t.Parallel()
	for _, flagged := range []bool{false, true} {
		if _, _, proof, _, _ := lost(t, true, flagged, marked); proof.State != schemas.ProofEnforced || !proof.Changed {
			t.Errorf("made (flagged before: %t): %+v, want enforced and changed", flagged, proof)
		}
		if _, _, proof, _, _ := lost(t, false, flagged, marked); proof.State == schemas.ProofEnforced || proof.Changed {
			t.Errorf("not made (flagged before: %t): %+v, want neither enforced nor changed", flagged, proof)
		}
	}
}

// Without the attribute it cannot be told, and the same reset again is what makes it certain.
func TestLostAnswerWithoutProofAttributeIsNoSuccessUntilItIsMadeAgain(t *testing.T) {
	t.Parallel()
	none := func(*googleworkspace.Config) {}
	_, _, proof, _, _ := lost(t, false, true, none)
	if proof.State != schemas.ProofUnknown || proof.Changed {
		t.Errorf("not made, flagged before: %+v, want unknown", proof)
	}
	g, a, proof, c, since := lost(t, true, true, none)
	if proof.State != schemas.ProofUnknown || proof.Changed {
		t.Errorf("made, flagged before: %+v, want unknown", proof)
	}
	wantWords(t, proof.Detail, "cannot be told", "proof_attribute")
	if _, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if proof, err := c.Verify(t.Context(), idOf(a), since); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("made again: %+v (%v), want enforced and changed", proof, err)
	}
	if len(g.passwords) != 2 || g.passwords[0] == g.passwords[1] {
		t.Errorf("%d passwords, want two different ones", len(g.passwords))
	}
	if _, _, proof, _, _ := lost(t, true, false, none); proof.Changed || !proof.Evidence.MustChange {
		t.Errorf("made: %+v; the demand shows, a password does not", proof)
	}
}

// Somebody who signs in with the stolen password moves the ETag. That is no reset.
func TestSigningInProvesNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*googleworkspace.Config){"marked": marked, "not marked": func(*googleworkspace.Config) {}} {
		g, c := plain(t, change)
		for _, flagged := range []bool{false, true} {
			a := g.add("jdoe@example.com")
			a.mustChange = flagged
			since := classOf(t, c, a).Evidence
			g.change(a.id, func(a *account) { a.lastLogin = time.Now() })
			proof, err := c.Verify(t.Context(), idOf(a), since)
			if err != nil || proof.Changed || proof.State == schemas.ProofEnforced {
				t.Errorf("%s, flagged %t: %+v (%v)", name, flagged, proof, err)
			}
			g.change(a.id, func(a *account) { a.primary = "x" + a.primary })
		}
	}
}

func TestResetOfAnAccountThatMustChangeAlreadyIsProved(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		a := g.add(string(mode) + "@example.com")
		a.mustChange = true
		since := classOf(t, c, a).Evidence
		if _, err := c.Reset(t.Context(), idOf(a), mode); err != nil {
			t.Fatal(err)
		}
		proof, err := c.Verify(t.Context(), idOf(a), since)
		if err != nil || proof.State != schemas.ProofEnforced || proof.Changed != (mode == schemas.ModeRandomize) {
			t.Errorf("%s: %+v (%v)", mode, proof, err)
		}
		// What was acknowledged earlier proves nothing for whoever reads now.
		since = classOf(t, c, a).Evidence
		if proof, err := c.Verify(t.Context(), idOf(a), since); err != nil || proof.State == schemas.ProofEnforced || proof.Changed {
			t.Errorf("%s, seen from afterwards: %+v (%v)", mode, proof, err)
		}
	}
}

func TestChangeThatIsNotVisibleYetMayStillBecomeEnforced(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	g.lag = 700 * time.Millisecond
	a := g.add("jdoe@example.com")
	since := classOf(t, c, a).Evidence
	if _, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	proof, err := c.Verify(t.Context(), idOf(a), since)
	if err != nil || proof.State != schemas.ProofEnforced && (proof.State != schemas.ProofNotEnforced || proof.Code != "" || !strings.Contains(proof.Detail, "not visible yet")) {
		t.Errorf("at once: %+v (%v), want not_enforced without a code, and why", proof, err)
	}
	for end := time.Now().Add(30 * time.Second); proof.State != schemas.ProofEnforced && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if proof, err = c.Verify(t.Context(), idOf(a), since); err != nil {
			t.Fatal(err)
		}
	}
	if proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("after a while: %+v", proof)
	}
}

func TestChangeByTheUserInBetweenIsAConflict(t *testing.T) {
	t.Parallel()
	g, c := plain(t, marked)
	a := g.add("jdoe@example.com")
	since := classOf(t, c, a).Evidence
	if _, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	g.change(a.id, func(a *account) { a.mustChange = false })
	proof, err := c.Verify(t.Context(), idOf(a), since)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeConflict || !proof.Changed {
		t.Errorf("%+v (%v), want not_enforced by conflict, and changed", proof, err)
	}
}

// The evidence of a task may be older than the setting.
func TestEvidenceFromBeforeTheProofAttributeIsNotMistaken(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a := g.add("jdoe@example.com")
	a.custom["resetd"] = map[string]string{"reset": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	since := classOf(t, c, a).Evidence
	if strings.HasPrefix(since.Marker, "mark:") {
		t.Fatal("the evidence has a mark")
	}
	proof, err := open(t, configOf(g.door(t, nil), marked)).Verify(t.Context(), idOf(a), since)
	if err != nil || proof.Changed {
		t.Errorf("%+v (%v), want not changed", proof, err)
	}
}

// An administrator may write there what he likes.
func TestWordsInTheProofAttributeAreNoMark(t *testing.T) {
	t.Parallel()
	g, c := plain(t, marked)
	a := g.add("jdoe@example.com")
	a.mustChange = true
	since := classOf(t, c, a).Evidence
	g.change(a.id, func(a *account) {
		a.custom["resetd"] = map[string]string{"reset": strings.Repeat("do not touch \u202e", 100)}
	})
	proof, err := c.Verify(t.Context(), idOf(a), since)
	if err != nil || proof.Changed || proof.State == schemas.ProofEnforced || !proof.Evidence.Same(since) {
		t.Errorf("%+v (%v), want nothing to have changed", proof, err)
	}
}
