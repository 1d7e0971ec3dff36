package googleworkspace_test

import (
	"testing"

	"github.com/resetd/resetd/connectors/googleworkspace"
	"github.com/resetd/resetd/schemas"
)

func TestWhoIsFoundByWhat(t *testing.T) {
	t.Parallel()
	withDomain := func(c *googleworkspace.Config) { c.Domain = "example.com" }
	bounded := func(c *googleworkspace.Config) { c.Domains = []string{"example.com", "example.net"} }
	for _, one := range []struct {
		kind   schemas.AccountType
		value  string
		change func(*googleworkspace.Config)
		found  bool
		word   string // of the reason
	}{
		{schemas.AccountLogin, "jdoe@example.com", nil, true, ""},
		{schemas.AccountLogin, "JDoe@Example.COM", nil, true, ""},
		{schemas.AccountLogin, "john@example.com", nil, false, "alias of jdoe@example.com"},
		{schemas.AccountLogin, "jdoe", withDomain, false, "a login is an address"},
		{schemas.AccountEmail, "john@example.com", nil, true, ""},
		{schemas.AccountEmail, "jdoe@example.net", nil, true, ""},
		{schemas.AccountAddress, "john@example.com", nil, true, ""},
		{schemas.AccountUserName, "jdoe", nil, false, "set domain"},
		{schemas.AccountUserName, "jdoe", withDomain, true, ""},
		{schemas.AccountUserName, "john", withDomain, false, "alias of"},
		{schemas.AccountUserName, "jdoe@example.com", withDomain, false, "no @"},
		{schemas.AccountSID, "S-1-5-21-1-2-3-4", withDomain, false, "no sid"},
		{schemas.AccountDownLevel, `CORP\jdoe`, withDomain, false, "down level logon name"},
		{schemas.AccountDN, "cn=jdoe", withDomain, false, "no dn"},
		{schemas.AccountObjectID, "jdoe@example.com", nil, false, "a number"},
		{schemas.AccountEmail, "jdoe@example.com", bounded, true, ""},
		{schemas.AccountEmail, "jdoe@example.net", bounded, true, ""},
		{schemas.AccountEmail, "ceo@example.org", nil, true, ""},
		{schemas.AccountEmail, "ceo@example.org", bounded, false, "domains"},
		{schemas.AccountEmail, "ceo@example.net", bounded, false, "neither found nor touched"},
	} {
		g := newGoogle(t)
		a, b := g.add("jdoe@example.com"), g.add("ceo@example.org")
		a.aliases, a.domainAliases, b.aliases = []string{"john@example.com"}, []string{"jdoe@example.net"}, []string{"ceo@example.net"}
		if one.change == nil {
			one.change = func(*googleworkspace.Config) {}
		}
		got, err := open(t, configOf(g.door(t, nil), one.change)).Resolve(t.Context(), schemas.Account{Type: one.kind, Value: one.value})
		switch {
		case one.found && (err != nil || got.ID != a.id && got.ID != b.id):
			t.Errorf("%s %s: %+v (%v), want found", one.kind, one.value, got, err)
		case !one.found && err == nil:
			t.Errorf("%s %s: found %s, want nobody", one.kind, one.value, got.Name)
		case !one.found:
			wantWords(t, wantCode(t, err, schemas.CodeAccountNotFound), one.word, "corp-google")
		}
	}
}

// An id that was found before a domain was taken off the list must not be acted on after.
func TestNobodyOutsideTheBoundsIsTouchedByIDEither(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*googleworkspace.Config){
		"domains":  func(c *googleworkspace.Config) { c.Domains = []string{"example.com"} },
		"customer": func(c *googleworkspace.Config) { c.Customer = "C09zzz99z" },
	} {
		g, c := plain(t, change)
		a := g.add("ceo@example.org")
		_, err := c.Classify(t.Context(), idOf(a))
		wantCode(t, err, schemas.CodeAccountNotFound)
		_, err = c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		wantCode(t, err, schemas.CodeAccountNotFound)
		_, err = c.Revoke(t.Context(), idOf(a))
		wantCode(t, err, schemas.CodeAccountNotFound)
		if g.sent("directory.users.update")+g.sent("directory.users.signOut") > 0 {
			t.Errorf("%s: an account outside was touched", name)
		}
	}
}

func TestForeignAddressAndMissingRightReadTheSameAndTheReasonSaysSo(t *testing.T) {
	t.Parallel()
	_, c := refusing(t, "GET", forbidden)
	_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "somebody@elsewhere.example"})
	wantWords(t, wantCode(t, err, schemas.CodePermissionMissing), "Users > Read", "domains")
}
