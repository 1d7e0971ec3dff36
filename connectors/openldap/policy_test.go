package openldap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestLaxPolicyEndsAsUnenforced(t *testing.T) {
	s := testserver.Slapd(t)
	larry := s.Person(testserver.Larry)
	id := identityOf(t, s, larry.DN)
	c := open(t, configOf(s))

	_, err := c.Reset(t.Context(), id, schemas.ModeExpire)
	if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, s.LaxPolicyDN) || !strings.Contains(detail, "nothing was changed") {
		t.Errorf("the detail names neither the policy nor that nothing was changed: %s", detail)
	}
	if got := login(t, s, larry.DN, larry.Password); got != "accepted" {
		t.Fatalf("expire without effect: the old password is %s", got)
	}
	before := evidence(t, c, id)
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnenforced)
	if got := login(t, s, larry.DN, larry.Password); got != "refused" {
		t.Errorf("randomize must put out the thief all the same: the old password is %s", got)
	}
	proof, err := c.Verify(t.Context(), id, before)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

func TestWithoutThePolicyOverlayOnlyThePasswordIsReplaced(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithoutPpolicy())
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	config := configOf(s)
	config.DefaultPolicy = ""
	c := open(t, config)

	got, err := c.Probe(t.Context())
	if err != nil || !slices.Equal(got.Modes, []schemas.Mode{schemas.ModeRandomize}) || len(got.Unenforced) != 1 || !strings.Contains(got.Unenforced[0], "ppolicy") {
		t.Errorf("Probe: %+v, %v", got, err)
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeExpire)
	wantCode(t, err, schemas.CodeUnenforced)
	if got := login(t, s, jdoe.DN, jdoe.Password); got != "accepted" {
		t.Fatalf("expire without effect: the old password is %s", got)
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnenforced)
	if got := login(t, s, jdoe.DN, jdoe.Password); got != "refused" {
		t.Errorf("the old password is %s", got)
	}
	proof, err := c.Verify(t.Context(), id, schemas.Evidence{})
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

func TestUnknownPolicyIsProvedBySigningIn(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(3))
	next := fresh(s)
	p := newProxy(t, s.URL)
	config := configOf(s)
	config.URL, config.DefaultPolicy = p.URL, ""
	c := open(t, config)
	got, err := c.Probe(t.Context())
	if err != nil || len(got.Missing) > 0 || !warns(got, "default_policy is not set") {
		t.Errorf("Probe: %+v, %v", got, err)
	}
	// Nothing is known yet, and expire gives no password to sign in with.
	one := schemas.Identity{ID: next(t).ID}
	before := evidence(t, c, one)
	if _, err := c.Reset(t.Context(), one, schemas.ModeExpire); err != nil {
		t.Fatal(err)
	}
	if proof, err := c.Verify(t.Context(), one, before); err != nil || proof.State != schemas.ProofUnknown {
		t.Errorf("Verify after expire: %+v, %v", proof, err)
	}
	two := schemas.Identity{ID: next(t).ID}
	before = evidence(t, c, two)
	if _, err := c.Reset(t.Context(), two, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]schemas.Identity{"the account that was tried": two, "another one": one} {
		if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofEnforced {
			t.Errorf("Verify of %s: %+v, %v", name, proof, err)
		}
	}
}

func TestUnknownPolicyThatDemandsNothingIsFoundOut(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(2))
	change(t, s, s.StrictPolicyDN, "pwdMustChange", "FALSE")
	next := fresh(s)
	config := configOf(s)
	config.DefaultPolicy = ""
	c := open(t, config)
	id := schemas.Identity{ID: next(t).ID}
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnenforced)
	proof, err := c.Verify(t.Context(), id, schemas.Evidence{})
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	// What was learned keeps the next one from being changed for nothing.
	_, err = c.Reset(t.Context(), schemas.Identity{ID: next(t).ID}, schemas.ModeExpire)
	wantCode(t, err, schemas.CodeUnenforced)
}

func TestPolicyThatCannotBeReadIsAMissingRight(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.DefaultPolicy = "cn=hidden,ou=policies," + s.BaseDN
	got, err := open(t, config).Probe(t.Context())
	if err != nil || len(got.Missing) != 1 || !strings.Contains(got.Missing[0], "olcAccess") || !strings.Contains(got.Missing[0], config.DefaultPolicy) {
		t.Errorf("Probe: %+v, %v", got, err)
	}
}

func TestPasswordsFitThePolicysLength(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithUsers(3))
	next := fresh(s)
	p := newProxy(t, s.URL)
	config := configOf(s)
	config.URL = p.URL
	c := open(t, config)
	for i, one := range []struct {
		attribute, value string
		length           int
		code             schemas.Code
	}{
		{"pwdMinLength", "48", 48, schemas.CodeOK},
		{"pwdMaxLength", "20", 20, schemas.CodeOK},
		{"pwdMaxLength", "8", 16, schemas.CodePasswordRejected}, // nobody needs to guess long at 8 characters
	} {
		name := "cn=length" + string(rune('a'+i)) + ",ou=policies," + s.BaseDN
		add(t, s, name, map[string][]string{"objectClass": {"device", "pwdPolicy"}, "cn": {"length" + string(rune('a'+i))}, "pwdAttribute": {"userPassword"},
			"pwdCheckQuality": {"2"}, "pwdMustChange": {"TRUE"}, one.attribute: {one.value}})
		who := next(t)
		change(t, s, "uid="+who.Account.Value+","+s.PeopleDN, "pwdPolicySubentry", name)
		before := len(p.Seen())
		_, err := c.Reset(t.Context(), schemas.Identity{ID: who.ID}, schemas.ModeRandomize)
		wantCode(t, err, one.code)
		sent := p.Seen()[before:]
		if want := map[bool]int{true: 1, false: 3}[one.code == schemas.CodeOK]; len(sent) != want {
			t.Errorf("%s %s: %d passwords were tried, want %d", one.attribute, one.value, len(sent), want)
		}
		for _, password := range sent {
			if len(password) != one.length {
				t.Errorf("%s %s: a password of %d characters, want %d", one.attribute, one.value, len(password), one.length)
			}
		}
	}
}

func evidence(t *testing.T, c connectors.Connector, id schemas.Identity) schemas.Evidence {
	t.Helper()
	class, err := c.Classify(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return class.Evidence
}
