package okta_test

import (
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// finds asks for an account and wants an id, or a code in its place.
func finds(t *testing.T, c connectors.Connector, a schemas.Account, id string, code schemas.Code) {
	t.Helper()
	got, err := c.Resolve(t.Context(), a)
	if schemas.CodeOf(err) != code || got.ID != id {
		t.Errorf("%s %q: %q, %v; want %q, %s", a.Type, a.Value, got.ID, err, id, code)
	}
}

func email(v string) schemas.Account {
	return schemas.Account{Type: schemas.AccountEmail, Value: v}
}
func short(v string) schemas.Account {
	return schemas.Account{Type: schemas.AccountUserName, Value: v}
}
func address(v string) schemas.Account {
	return schemas.Account{Type: schemas.AccountAddress, Value: v}
}

func TestASearchThatLagsBehindIsNotBelieved(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	moved := o.add(person{Email: "old@example.com"})
	o.change(moved.ID, func(p *person) { p.Email = "new@example.com" })
	finds(t, c, email("old@example.com"), "", schemas.CodeAccountNotFound)

	deleted := o.add(person{Email: "deleted@example.com"})
	o.mu.Lock()
	delete(o.users, deleted.ID)
	o.mu.Unlock()
	finds(t, c, email("deleted@example.com"), "", schemas.CodeAccountNotFound)

	// The address has passed on: the index still has the old holder, and knows the new one.
	was := o.add(person{Email: "info@example.com"})
	o.change(was.ID, func(p *person) { p.Email = "former@example.com" })
	is := o.add(person{Email: "info@example.com"})
	finds(t, c, email("info@example.com"), is.ID, schemas.CodeOK)
}

func TestADeactivatedAccountStandsInNobodysWay(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	gone := o.add(person{Login: "gone@example.com", Email: "jdoe@example.com", Status: "DEPROVISIONED"})
	finds(t, c, email("jdoe@example.com"), "", schemas.CodeAccountNotFound)
	finds(t, c, address("gone@example.com"), "", schemas.CodeAccountNotFound)
	finds(t, c, schemas.Account{Type: schemas.AccountObjectID, Value: gone.ID}, gone.ID, schemas.CodeOK)
	live := o.add(person{Email: "JDoe@example.com"})
	finds(t, c, email("jdoe@example.com"), live.ID, schemas.CodeOK)

	// Deactivated by the index, but active again: two.
	o.change(gone.ID, func(p *person) { p.Status = "ACTIVE" })
	finds(t, c, email("jdoe@example.com"), "", schemas.CodeAccountAmbiguous)
}

func TestAShortNameIsOnlyTakenWhereOktaVouchesForIt(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	first := o.add(person{Login: "jdoe@a.example.com"})
	finds(t, c, short("jdoe"), first.ID, schemas.CodeOK)
	finds(t, c, short("jdo"), "", schemas.CodeAccountNotFound)
	finds(t, c, schemas.Account{Type: schemas.AccountLogin, Value: "jdoe"}, "", schemas.CodeAccountNotFound)

	second := o.add(person{Login: "jdoe@b.example.com"})
	finds(t, c, short("jdoe"), "", schemas.CodeAccountAmbiguous)
	o.change(second.ID, func(p *person) { p.Status = "DEPROVISIONED" })
	finds(t, c, short("jdoe"), first.ID, schemas.CodeOK)

	// Okta knows of two, and the index of one alone: nobody can tell which is meant.
	known := o.add(person{Login: "twin@a.example.com"})
	o.mu.Lock()
	o.users["00uunknowntotheindex"] = &person{ID: "00uunknowntotheindex", Login: "twin@b.example.com", Email: "t@example.com", Status: "ACTIVE", Provider: "OKTA"}
	o.mu.Unlock()
	finds(t, c, short("twin"), "", schemas.CodeAccountNotFound)
	finds(t, c, schemas.Account{Type: schemas.AccountLogin, Value: "TWIN@a.example.com"}, known.ID, schemas.CodeOK)
}

func TestALoginThatDiffersInADiacriticalMarkIsSomebodyElse(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	p := o.add(person{Login: "isaac.brock@example.com"})
	finds(t, c, address("isaác.brock@example.com"), "", schemas.CodeAccountNotFound)
	finds(t, c, address("Isaac.Brock@Example.com"), p.ID, schemas.CodeOK)
}

func TestALoginThatIsAnothersAddressIsAmbiguous(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	a := o.add(person{Login: "x@example.com", Email: "x@example.com"})
	finds(t, c, address("x@example.com"), a.ID, schemas.CodeOK)
	b := o.add(person{Email: "x@example.com"})
	finds(t, c, address("x@example.com"), "", schemas.CodeAccountAmbiguous)
	o.change(b.ID, func(p *person) { p.Status = "DEPROVISIONED" })
	finds(t, c, address("x@example.com"), a.ID, schemas.CodeOK)
}

func TestSIDAndDownLevelNameAreFoundByConfiguredAttributes(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{Extra: map[string]string{"objectSid": "S-1-5-21-1-2-3-1001", "windowsName": `CORP\jdoe`}})
	sid, name := schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}, schemas.Account{Type: schemas.AccountDownLevel, Value: `corp\jdoe`}
	without := connect(t, byToken(o, o.url))
	finds(t, without, sid, "", schemas.CodeAccountNotFound)
	finds(t, without, name, "", schemas.CodeAccountNotFound)
	config := byToken(o, o.url)
	config.SIDAttribute, config.DownLevelAttribute = "objectSid", "windowsName"
	with := connect(t, config)
	finds(t, with, sid, p.ID, schemas.CodeOK)
	finds(t, with, name, p.ID, schemas.CodeOK)
}

func TestMoreMatchesThanAreLookedAtAreAmbiguous(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	for range 25 {
		o.add(person{Email: "list@example.com", Status: "DEPROVISIONED"})
	}
	finds(t, c, email("list@example.com"), "", schemas.CodeAccountAmbiguous)
}

// Okta takes a login, a short name and "me" where an id stands, and answers with somebody.
func TestWhatIsNoIDFindsNobodyByIt(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	p := o.add(person{Login: "jdoe@example.com"})
	for _, no := range []string{"me", "jdoe", "jdoe@example.com", "..", "x/y"} {
		finds(t, c, schemas.Account{Type: schemas.AccountObjectID, Value: no}, "", schemas.CodeAccountNotFound)
		id := schemas.Identity{ID: no}
		if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); schemas.CodeOf(err) != schemas.CodeAccountNotFound {
			t.Errorf("Reset of %q: %v", no, err)
		}
		if _, err := c.Classify(t.Context(), id); schemas.CodeOf(err) != schemas.CodeAccountNotFound {
			t.Errorf("Classify of %q: %v", no, err)
		}
	}
	if _, err := c.Revoke(t.Context(), schemas.Identity{ID: "me"}); schemas.CodeOf(err) != schemas.CodeAccountNotFound {
		t.Errorf("Revoke of me: %v", err)
	}
	if len(o.sent("/lifecycle")) > 0 || o.now(p.ID).Status != "ACTIVE" {
		t.Error("somebody was reset")
	}
}
