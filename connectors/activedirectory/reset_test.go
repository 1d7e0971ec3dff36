package activedirectory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// The whole of it, with the eyes of LDAP and of Kerberos.
func TestResetPutsOutTheOldPasswordAndDemandsAnother(t *testing.T) {
	s := domain(t)
	p := newProxy(t, s)
	c := open(t, through(s, p))
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	class, err := c.Classify(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	if err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got := login(t, s, jdoe.UID, jdoe.Password); got != "refused" { // data 52e
		t.Errorf("LDAP: the old password is %s", got)
	}
	if said, ok := s.Kinit(t.Context(), jdoe.UID, jdoe.Password); ok || !strings.Contains(said, "incorrect") {
		t.Errorf("Kerberos: the old password: %t, %s", ok, said)
	}
	made := p.Seen()[0]
	if got := login(t, s, jdoe.UID, made); got != "must change" { // data 773
		t.Errorf("LDAP: the new password is %s", got)
	}
	if said, ok := s.Kinit(t.Context(), jdoe.UID, made); ok || !strings.Contains(said, "expired") || !strings.Contains(said, "change it now") {
		t.Errorf("Kerberos lets the new password in: %t, %s", ok, said)
	}
	proof, err := c.Verify(t.Context(), id, class.Evidence)
	if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed || proof.Evidence.PasswordChangedAt.IsZero() {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	// The user answers the demand.
	if said, ok := s.Kinit(t.Context(), jdoe.UID, made, "My-own-Passw0rd", "My-own-Passw0rd"); !ok {
		t.Fatalf("Kerberos does not take the user's own password: %s", said)
	}
	after, err := c.Verify(t.Context(), id, proof.Evidence)
	if err != nil || after.State != schemas.ProofNotEnforced || after.Code != schemas.CodeConflict || !after.Changed {
		t.Errorf("Verify after the user's own change: %+v, %v", after, err)
	}
}

func TestDemandAloneIsMadeOnceAndNotAgain(t *testing.T) {
	s := domain(t)
	c := open(t, configOf(s))
	alice := s.Person(testserver.Alice)
	id := identityOf(t, s, alice.DN)
	for _, want := range []schemas.Code{schemas.CodeOK, schemas.CodeAlreadyInForce} {
		if got, err := c.Reset(t.Context(), id, schemas.ModeExpire); err != nil || got.Code != want {
			t.Errorf("Reset: %+v, %v; want %s", got, err, want)
		}
	}
	if said, ok := s.Kinit(t.Context(), alice.UID, alice.Password); ok || !strings.Contains(said, "change it now") {
		t.Errorf("Kerberos does not demand the change: %t, %s", ok, said)
	}
	// A demand that was there is no obstacle to a random password, and each one counts.
	for range 2 {
		class, err := c.Classify(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
			t.Fatalf("Reset: %+v, %v", got, err)
		}
		if proof, err := c.Verify(t.Context(), id, class.Evidence); err != nil || !proof.Changed || proof.State != schemas.ProofEnforced {
			t.Errorf("Verify: %+v, %v", proof, err)
		}
	}
}

func TestDisabledAccountIsResetAndStaysDisabled(t *testing.T) {
	s := domain(t)
	c := open(t, configOf(s))
	dn := s.Person(testserver.Disabled).DN
	before := value(t, s, dn, "userAccountControl")
	if got, err := c.Reset(t.Context(), identityOf(t, s, dn), schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if after := value(t, s, dn, "userAccountControl"); after != before {
		t.Errorf("userAccountControl was %s and is %s", before, after)
	}
}

func TestRejectedPasswordIsFollowedByAnotherThreeAtMost(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	for name, one := range map[string]struct {
		code     uint16
		text     string
		rejected int
		want     schemas.Code
	}{
		"Samba's words, twice":     {ldap.LDAPResultConstraintViolation, "0000052D: Constraint violation - check_password_restrictions", 2, schemas.CodeOK},
		"Windows' words, twice":    {ldap.LDAPResultUnwillingToPerform, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00", 2, schemas.CodeOK},
		"Windows' words, always":   {ldap.LDAPResultUnwillingToPerform, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00", 9, schemas.CodePasswordRejected},
		"something else, only one": {ldap.LDAPResultUnwillingToPerform, "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", 9, schemas.CodePermissionMissing},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, s)
			p.OnModify, p.First = ldaptest.Answer, one.rejected
			p.Refuse = func(password string) (uint16, string) { return one.code, one.text + " " + password }
			_, err := open(t, through(s, p)).Reset(t.Context(), schemas.Identity{ID: next(t).ID}, schemas.ModeRandomize)
			wantCode(t, err, one.want)
			made := p.Seen()
			want := 3
			if one.want == schemas.CodePermissionMissing {
				want = 1
			}
			if len(made) != want {
				t.Errorf("%d passwords were offered, want %d", len(made), want)
			}
			for i, password := range made {
				if err != nil && strings.Contains(err.Error(), password) || i > 0 && password == made[i-1] {
					t.Errorf("password %d shows in the error or is that before: %v", i, err)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					if strings.Contains(e.Error(), password) {
						t.Errorf("the password shows in %T", e)
					}
				}
			}
		})
	}
}

func TestPasswordIsAsLongAsTheAccountsOwnPolicyAsks(t *testing.T) {
	s := domain(t)
	p := newProxy(t, s)
	if got, err := open(t, through(s, p)).Reset(t.Context(), named(t, s, testserver.Long), schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if made := p.Seen(); len(made) != 1 || len(made[0]) < 40 {
		t.Errorf("%d passwords were offered; the policy asks for 40 characters", len(made))
	}
}

func TestSealedPasswordIsTheOneThatWasSet(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	p := newProxy(t, s)
	// Two passwords are refused: only the third may be delivered.
	p.OnModify, p.First = ldaptest.Answer, 2
	p.Refuse = func(string) (uint16, string) { return ldap.LDAPResultConstraintViolation, "0000052D: no" }
	config := through(s, p)
	seal := func(secret schemas.Secret) (string, error) { return "sealed:" + secret.Reveal(), nil }
	c, err := config.Open(connectors.Env{System: "corp-ad", Seal: seal})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	person := next(t)
	got, err := c.Reset(t.Context(), schemas.Identity{ID: person.ID}, schemas.ModeRandomize)
	if err != nil {
		t.Fatal(err)
	}
	password, ok := strings.CutPrefix(got.Sealed, "sealed:")
	if !ok || login(t, s, person.Account.Value, password) != "must change" {
		t.Errorf("what was delivered is not the password: %t", ok)
	}
	// A password that cannot be sealed is not set.
	broken, err := config.Open(connectors.Env{System: "corp-ad", Seal: func(schemas.Secret) (string, error) { return "", errors.New("no recipient") }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broken.Close() }()
	other := next(t)
	_, err = broken.Reset(t.Context(), schemas.Identity{ID: other.ID}, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnexpected)
	if got := login(t, s, other.Account.Value, other.Password); got != "accepted" {
		t.Errorf("the old password is %s although the new one could not be delivered", got)
	}
}
