package entra_test

import (
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestNameThatAListStillShowsButNobodyHasFindsNobody(t *testing.T) {
	w := newWorld()
	w.listLag = 100
	c := connect(t, newFront(t, w, nil))
	p := w.add("moved@example.com", func(p *person) {
		p.mail, p.sam, p.domain, p.sid = "old@example.com", "old", "corp.example.com", "S-1-5-21-1-1-1-1"
	})
	w.in(t, func() {
		w.change(p, func() { p.mail, p.sam, p.sid = "new@example.com", "new", "S-1-5-21-1-1-1-2" })
	})
	for _, a := range []schemas.Account{
		{Type: schemas.AccountEmail, Value: "old@example.com"}, {Type: schemas.AccountAddress, Value: "old@example.com"},
		{Type: schemas.AccountUserName, Value: "old"}, {Type: schemas.AccountDownLevel, Value: `CORP\old`}, {Type: schemas.AccountSID, Value: "S-1-5-21-1-1-1-1"},
	} {
		_, err := c.Resolve(t.Context(), a)
		codeIs(t, err, schemas.CodeAccountNotFound)
	}
	if p.staleIdx == 100 {
		t.Error("no list was asked")
	}
}

// A name that has passed on finds the new holder, although a list shows both.
func TestNameThatHasPassedOnFindsItsNewHolder(t *testing.T) {
	w := newWorld()
	w.listLag = 100
	c := connect(t, newFront(t, w, nil))
	old := w.add("old@example.com", func(p *person) { p.mail = "desk@example.com" })
	holder := w.add("holder@example.com", func(p *person) { p.mail = "desk@example.com" })
	w.in(t, func() { w.change(old, func() { old.mail = "" }) })
	id, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "desk@example.com"})
	if err != nil || id.ID != holder.id {
		t.Errorf("found %+v, %v", id, err)
	}
}

// More hits than a page holds, of which the page shows stale ones only: nobody may be chosen.
func TestNameWithMoreHitsThanCanBeToldApartIsAmbiguous(t *testing.T) {
	w := newWorld()
	w.listLag = 100
	c := connect(t, newFront(t, w, nil))
	for _, upn := range []string{"one@example.com", "two@example.com"} {
		p := w.add(upn, func(p *person) { p.mail = "desk@example.com" })
		w.in(t, func() { w.change(p, func() { p.mail = "" }) })
	}
	w.add("three@example.com", func(p *person) { p.mail = "desk@example.com" })
	_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "desk@example.com"})
	codeIs(t, err, schemas.CodeAccountAmbiguous)
}

// Readings that lag look like nothing has happened, and a later one proves it.
func TestResetThatGraphDoesNotShowYetIsLookedForAgain(t *testing.T) {
	w := newWorld()
	w.getLag = 2
	c := connect(t, newFront(t, w, nil))
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		p := w.add("late-"+string(mode)+"@example.com", nil)
		before := classOf(t, c, p).Evidence
		if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, mode); err != nil {
			t.Fatal(err)
		}
		for reading, want := range []schemas.ProofState{schemas.ProofNotEnforced, schemas.ProofNotEnforced, schemas.ProofEnforced} {
			proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, before)
			if err != nil || proof.State != want || proof.Code != "" || proof.Changed != (want == schemas.ProofEnforced && mode == schemas.ModeRandomize) {
				t.Errorf("%s, reading %d: %+v, %v", mode, reading, proof, err)
			}
		}
	}
}

// A copy that is behind the evidence shows another time, which is no change.
func TestReadingOlderThanTheEvidenceProvesNoChange(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	p := w.add("behind@example.com", func(p *person) { p.mustChange = true })
	since := classOf(t, c, p).Evidence
	since.PasswordChangedAt = since.PasswordChangedAt.Add(3600e9)
	since.Marker = since.PasswordChangedAt.Format("2006-01-02T15:04:05Z")
	proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, since)
	if err != nil || proof.Changed || proof.State != schemas.ProofNotEnforced {
		t.Errorf("got %+v, %v", proof, err)
	}
}

func TestPasswordThatSomebodyChangedInBetweenIsAConflict(t *testing.T) {
	w := newWorld()
	c := connect(t, newFront(t, w, nil))
	p := w.add("self@example.com", nil)
	since := classOf(t, c, p).Evidence
	w.in(t, func() { w.change(p, func() { p.changed, p.sessions = now(), now() }) })
	proof, err := c.Verify(t.Context(), schemas.Identity{ID: p.id}, since)
	if err != nil || !proof.Changed || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeConflict {
		t.Errorf("got %+v, %v", proof, err)
	}
}

func TestRevocationThatGraphDoesNotShowYetIsDoneAllTheSame(t *testing.T) {
	w := newWorld()
	w.getLag = 5
	c := connect(t, newFront(t, w, nil))
	got, err := c.Revoke(t.Context(), schemas.Identity{ID: w.add("late@example.com", nil).id})
	if err != nil || got.Code != schemas.CodeOK {
		t.Errorf("got %+v, %v", got, err)
	}
}
