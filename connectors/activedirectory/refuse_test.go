package activedirectory_test

import (
	"strings"
	"testing"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// What is refused is refused before anything is changed, in both modes.
func TestAccountsThatCannotBeResetAreLeftAsTheyAre(t *testing.T) {
	s := domain(t)
	c := open(t, configOf(s))
	both := []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}
	people := func(name string) string { return s.Person(name).DN }
	for name, one := range map[string]struct {
		dn    string
		modes []schemas.Mode
		code  schemas.Code
		words string
	}{
		"DONT_EXPIRE_PASSWORD, the demand alone": {people(testserver.NoExpiry), both[1:], schemas.CodeUnenforced, "never expires"},
		"SMARTCARD_REQUIRED":                     {people(testserver.SmartCard), both, schemas.CodeConflict, "certificate"},
		"User cannot change password":            {people(testserver.Fixed), both, schemas.CodeConflict, "cannot change password"},
		"a group managed service account":        {people(testserver.Robot), both, schemas.CodeNotApplicable, "managed service account"},
		"a computer":                             {people(testserver.Computer), both, schemas.CodeNotApplicable, "computer"},
		"krbtgt":                                 {"CN=krbtgt,CN=Users," + s.BaseDN, both, schemas.CodeProtected, "krbtgt"},
		"Guest":                                  {"CN=Guest,CN=Users," + s.BaseDN, both, schemas.CodeProtected, "Guest"},
		"a domain controller":                    {"CN=DC1,OU=Domain Controllers," + s.BaseDN, both, schemas.CodeProtected, "computer"},
		"the built-in Administrator":             {"CN=Administrator,CN=Users," + s.BaseDN, both, schemas.CodeProtected, "built-in"},
		"resetd's own account":                   {s.ServiceDN, both, schemas.CodeProtected, "resetd itself"},
	} {
		t.Run(name, func(t *testing.T) {
			id := identityOf(t, s, one.dn)
			before := value(t, s, one.dn, "replPropertyMetaData")
			for _, mode := range one.modes {
				_, err := c.Reset(t.Context(), id, mode)
				detail := wantCode(t, err, one.code)
				if !strings.Contains(detail, one.words) || !strings.Contains(detail, "nothing was changed") {
					t.Errorf("%s: %q does not say %q, and that nothing was changed", mode, detail, one.words)
				}
			}
			if value(t, s, one.dn, "replPropertyMetaData") != before {
				t.Error("the account was changed")
			}
		})
	}
}

// The random password still puts a thief out, but the demand for a change is void: that is no success.
func TestPasswordThatNeverExpiresIsSetAndCalledUnenforced(t *testing.T) {
	s := domain(t)
	p := newProxy(t, s)
	c := open(t, through(s, p))
	person := s.Person(testserver.NoExpiry)
	id := identityOf(t, s, person.DN)
	before, err := c.Classify(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, "a random password was set") {
		t.Errorf("the detail does not tell that the account was changed: %s", detail)
	}
	if got := login(t, s, person.UID, person.Password); got != "refused" {
		t.Errorf("the old password is %s", got)
	}
	// What the reset is not: the server lets the new password in without a change.
	if got := login(t, s, person.UID, p.Seen()[0]); got != "accepted" {
		t.Errorf("the new password is %s; the trap is gone, and the code can go, too", got)
	}
	proof, err := c.Verify(t.Context(), id, before.Evidence)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// Samba has no AdminSDHolder and would let the delegated account reset a Domain Admin. So the guard is resetd's own.
func TestPrivilegedAccountsAreToldByEveryWayIntoAGroup(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	one, two, three := next(t).Account.Value, next(t).Account.Value, next(t).Account.Value
	byPrimary := s.Person(one).DN
	change(t, s, "CN=Group Policy Creator Owners,CN=Users,"+s.BaseDN, "member", "CN=Administrator,CN=Users,"+s.BaseDN, byPrimary)
	change(t, s, byPrimary, "primaryGroupID", "520")
	add(t, s, "CN=Treasury,OU=Groups,"+s.BaseDN, map[string]string{"objectClass": "group", "sAMAccountName": "Treasury", "member": s.Person(two).DN})
	treasury := sidOf(t, s, "CN=Treasury,OU=Groups,"+s.BaseDN)
	config := configOf(s)
	config.ProtectedGroups = []string{strings.ToLower(treasury)}
	c := open(t, config)
	for name, words := range map[string]string{
		testserver.Chief: "Domain Admins", testserver.Nested: "Domain Admins", testserver.Former: "adminCount", testserver.Operator: "Account Operators",
		one: "Group Policy Creator Owners", two: treasury, testserver.JDoe: "", three: "",
	} {
		class, err := c.Classify(t.Context(), named(t, s, name))
		if err != nil || class.Origin != schemas.OriginNative || class.Privileged != (words != "") || !strings.Contains(class.Why, words) {
			t.Errorf("%s: %+v, %v; want privileged: %t because of %q", name, class, err, words != "", words)
		}
	}
	class, err := c.Classify(t.Context(), identityOf(t, s, "CN=Administrator,CN=Users,"+s.BaseDN))
	if err != nil || !class.Privileged || class.Origin != schemas.OriginService {
		t.Errorf("Administrator: %+v, %v", class, err)
	}
	// That Samba lets it happen is why the class counts.
	if _, err := c.Reset(t.Context(), named(t, s, testserver.Chief), schemas.ModeExpire); err != nil {
		t.Logf("this server keeps the delegated account from a Domain Admin by itself: %v", err)
	}
}

func TestKindsOfAccountsAreTold(t *testing.T) {
	s := domain(t)
	c := open(t, configOf(s))
	for dn, one := range map[string]struct {
		origin  schemas.Origin
		enabled bool
		words   string
	}{
		s.Person(testserver.JDoe).DN:               {schemas.OriginNative, true, "a user of the domain"},
		s.Person(testserver.Disabled).DN:           {schemas.OriginNative, false, "disabled"},
		s.Person(testserver.Robot).DN:              {schemas.OriginService, true, "managed service account"},
		s.Person(testserver.Computer).DN:           {schemas.OriginService, true, "computer"},
		s.Person(testserver.NoExpiry).DN:           {schemas.OriginNative, true, "never expires"},
		s.ServiceDN:                                {schemas.OriginService, true, "resetd itself"},
		"CN=krbtgt,CN=Users," + s.BaseDN:           {schemas.OriginService, false, "krbtgt"},
		"CN=Guest,CN=Users," + s.BaseDN:            {schemas.OriginService, false, "Guest"},
		"CN=DC1,OU=Domain Controllers," + s.BaseDN: {schemas.OriginService, true, "computer"},
	} {
		class, err := c.Classify(t.Context(), identityOf(t, s, dn))
		if err != nil || class.Origin != one.origin || class.Enabled != one.enabled || !strings.Contains(class.Why, one.words) {
			t.Errorf("%s: %+v, %v; want %+v", dn, class, err, one)
		}
	}
	// A year beyond 9999 cannot be written in JSON; an account that never expires must not have one.
	next := fresh(s)
	for expires, enabled := range map[string]bool{"9223372036854775806": true, "9223372036854775807": true, "0": true, "132000000000000000": false} {
		p := next(t)
		change(t, s, s.Person(p.Account.Value).DN, "accountExpires", expires)
		class, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID})
		if err != nil || class.Enabled != enabled {
			t.Errorf("expires %s: %+v, %v; want enabled: %t", expires, class, err, enabled)
		}
	}
}

func TestAccountOutsideOfTheBaseIsOutOfReach(t *testing.T) {
	s := domain(t)
	config := configOf(s)
	config.BaseDN = s.PeopleDN
	c := open(t, config)
	vera := identityOf(t, s, s.Person(testserver.Vera).DN)
	for name, do := range map[string]func() error{
		"Resolve": func() error {
			_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.Vera})
			return err
		},
		"by SID": func() error {
			_, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountSID, Value: sidOf(t, s, vera.Name)})
			return err
		},
		"Classify": func() error { _, err := c.Classify(t.Context(), vera); return err },
		"Reset":    func() error { _, err := c.Reset(t.Context(), vera, schemas.ModeRandomize); return err },
		"Verify":   func() error { _, err := c.Verify(t.Context(), vera, schemas.Evidence{}); return err },
	} {
		if err := do(); schemas.CodeOf(err) != schemas.CodeAccountNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	config.BaseDN = "OU=Nowhere," + s.BaseDN
	_, err := open(t, config).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe})
	wantCode(t, err, schemas.CodePermissionMissing)
}

func TestRightsThatAreMissingAreNamedWithTheCommandThatGrantsThem(t *testing.T) {
	s := domain(t)
	c := open(t, configOf(s))
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err := c.Reset(t.Context(), named(t, s, testserver.Vera), mode)
		detail := wantCode(t, err, schemas.CodePermissionMissing)
		for _, words := range []string{"samba-tool dsacl set", s.VIPDN, "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;", "(OA;CIIO;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;"} {
			if !strings.Contains(strings.ToLower(detail), strings.ToLower(words)) {
				t.Errorf("%s: %q does not say %q", mode, detail, words)
			}
		}
	}
}
