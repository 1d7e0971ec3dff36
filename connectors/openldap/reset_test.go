package openldap_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestOldPasswordNoLongerBinds(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	got, err := open(t, configOf(s)).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeRandomize)
	if err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if _, err := s.Bind(jdoe.DN, jdoe.Password); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if flag, err := s.Values(jdoe.DN, "pwdReset"); err != nil || len(flag) != 1 || flag[0] != "TRUE" {
		t.Errorf("pwdReset is %v, %v", flag, err)
	}
	writes, err := s.PasswordWrites()
	if err != nil || writes[strings.ToLower(jdoe.DN)] != 1 || len(writes) != 1 {
		t.Errorf("passwords written: %v, %v; want one, to %s", writes, err, jdoe.DN)
	}
}

// Nobody knows the random password but the test's proxy, which sees it go by.
func TestNewPasswordAnswersChangeAfterReset(t *testing.T) {
	s := testserver.Slapd(t)
	p := newProxy(t, s.URL)
	config := configOf(s)
	config.URL = p.URL
	alice, bob := s.Person(testserver.Alice), s.Person(testserver.Bob)
	c := open(t, config)
	if _, err := c.Reset(t.Context(), identityOf(t, s, alice.DN), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reset(t.Context(), identityOf(t, s, bob.DN), schemas.ModeExpire); err != nil {
		t.Fatal(err)
	}
	if got := login(t, s, alice.DN, p.Seen()[0]); got != "must change" {
		t.Errorf("randomize: the new password is %s", got)
	}
	if got := login(t, s, bob.DN, bob.Password); got != "must change" {
		t.Errorf("expire: the old password is %s", got)
	}
}

func TestServiceAccountWithoutRightsGetsPermissionMissing(t *testing.T) {
	s := testserver.Slapd(t)
	vera := s.Person(testserver.Vera)
	c := open(t, configOf(s))
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err := c.Reset(t.Context(), identityOf(t, s, vera.DN), mode)
		detail := wantCode(t, err, schemas.CodePermissionMissing)
		for _, part := range []string{"olcAccess", "userPassword", "pwdReset", s.ServiceDN, "write"} {
			if !strings.Contains(detail, part) {
				t.Errorf("%s: the detail does not name %s: %s", mode, part, detail)
			}
		}
	}
	if got := login(t, s, vera.DN, vera.Password); got != "accepted" {
		t.Errorf("the password is %s", got)
	}
}

func TestPolicyWithSafeModifyNamesTheRightThatItTakes(t *testing.T) {
	s := testserver.Slapd(t)
	change(t, s, s.StrictPolicyDN, "pwdSafeModify", "TRUE")
	c := open(t, configOf(s))
	_, err := c.Reset(t.Context(), identityOf(t, s, s.Person(testserver.JDoe).DN), schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodePermissionMissing); !strings.Contains(detail, "manage") {
		t.Errorf("the detail does not name the right: %s", detail)
	}
	if _, err := c.Reset(t.Context(), identityOf(t, s, s.Person(testserver.Mona).DN), schemas.ModeRandomize); err != nil {
		t.Errorf("with manage: %v", err)
	}
}

func TestLockOfAnAdministratorStays(t *testing.T) {
	s := testserver.Slapd(t)
	lock := s.Person(testserver.Lock)
	id := identityOf(t, s, lock.DN)
	c := open(t, configOf(s))
	class, err := c.Classify(t.Context(), id)
	if err != nil || class.Enabled || !strings.Contains(class.Why, "pwdAccountLockedTime") {
		t.Errorf("Classify: %+v, %v", class, err)
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeConflict)
	if _, err := c.Reset(t.Context(), id, schemas.ModeExpire); err != nil {
		t.Errorf("expire leaves the lock alone, so it may be done: %v", err)
	}
	if got, err := s.Values(lock.DN, "pwdAccountLockedTime"); err != nil || len(got) != 1 {
		t.Errorf("the lock is %v, %v", got, err)
	}
	if writes, err := s.PasswordWrites(); err != nil || len(writes) != 0 {
		t.Errorf("passwords written: %v, %v", writes, err)
	}
}

func TestAccountIsFoundAgainUnderANewName(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	takeName(t, s, jdoe)
	if _, err := open(t, configOf(s)).Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got := login(t, s, "uid=married,"+s.PeopleDN, jdoe.Password); got != "refused" {
		t.Errorf("the renamed account: the old password is %s", got)
	}
	if got := login(t, s, jdoe.DN, jdoe.Password); got != "accepted" {
		t.Errorf("the new owner of the name: the password is %s", got)
	}
}

// The name passes to somebody else between the moment at which resetd reads it and the one at which it writes.
func TestNameThatPassesToAnotherMeanwhileIsNotReset(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	p := newProxy(t, s.URL)
	p.Before, p.First = func() { takeName(t, s, jdoe) }, 1
	config := configOf(s)
	config.URL = p.URL
	if _, err := open(t, config).Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Errorf("the account is still there, under another name: %v", err)
	}
	if got := login(t, s, "uid=married,"+s.PeopleDN, jdoe.Password); got != "refused" {
		t.Errorf("the renamed account: the old password is %s", got)
	}
	if got := login(t, s, jdoe.DN, jdoe.Password); got != "accepted" {
		t.Errorf("the new owner of the name: the password is %s", got)
	}
}

// takeName renames somebody and gives the old name to a new account with the same password.
func takeName(t *testing.T, s *testserver.SlapdServer, p testserver.Person) {
	t.Helper()
	conn, err := s.Connect(s.RootDN, s.RootPassword)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	if err := conn.ModifyDN(ldap.NewModifyDNRequest(p.DN, "uid=married", true, "")); err != nil {
		t.Error(err)
	}
	r := ldap.NewAddRequest(p.DN, nil)
	for name, value := range map[string]string{"objectClass": "inetOrgPerson", "cn": "j", "sn": "j", "userPassword": p.Password} {
		r.Attribute(name, []string{value})
	}
	if err := conn.Add(r); err != nil {
		t.Error(err)
	}
}

func TestAccountOutOfReachIsNeitherFoundNorReset(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe, larry := s.Person(testserver.JDoe), s.Person(testserver.Larry)
	config := configOf(s)
	config.BaseDN, config.UserFilter = s.PeopleDN, "(&(objectClass=person)(!(uid=jdoe)))"
	c := open(t, config)
	for name, p := range map[string]testserver.Person{"the filter": jdoe, "the base": larry} {
		for kind, value := range map[schemas.AccountType]string{schemas.AccountUserName: p.UID, schemas.AccountDN: p.DN, schemas.AccountObjectID: identityOf(t, s, p.DN).ID} {
			_, err := c.Resolve(t.Context(), schemas.Account{Type: kind, Value: value})
			if schemas.CodeOf(err) != schemas.CodeAccountNotFound {
				t.Errorf("outside of %s, by %s: %v", name, kind, err)
			}
		}
		// An identity from before the settings were narrowed.
		_, err := c.Reset(t.Context(), identityOf(t, s, p.DN), schemas.ModeRandomize)
		wantCode(t, err, schemas.CodeAccountNotFound)
		if got := login(t, s, p.DN, p.Password); got != "accepted" {
			t.Errorf("outside of %s: the password is %s", name, got)
		}
	}
}

func TestUserWhoAnswersTheDemandIsNotTakenForUnenforced(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	c := open(t, configOf(s))
	before := evidence(t, c, id)
	if _, err := c.Reset(t.Context(), id, schemas.ModeExpire); err != nil {
		t.Fatal(err)
	}
	conn, err := s.Connect(jdoe.DN, jdoe.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.PasswordModify(ldap.NewPasswordModifyRequest("", jdoe.Password, "Brand-new-password-1")); err != nil {
		t.Fatal(err)
	}
	proof, err := c.Verify(t.Context(), id, before)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeConflict || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

func TestOwnAccountIsNeverReset(t *testing.T) {
	s := testserver.Slapd(t)
	id := identityOf(t, s, s.ServiceDN)
	config := configOf(s)
	config.UserFilter = "(objectClass=*)"
	c := open(t, config)
	class, err := c.Classify(t.Context(), id)
	if err != nil || class.Origin != schemas.OriginService || !strings.Contains(class.Why, "resetd itself") {
		t.Errorf("Classify: %+v, %v", class, err)
	}
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err = c.Reset(t.Context(), id, mode)
		wantCode(t, err, schemas.CodeProtected)
	}
	if got := login(t, s, s.ServiceDN, s.ServicePassword); got != "accepted" {
		t.Errorf("resetd locked itself out: its password is %s", got)
	}
}

func TestAccountsOfProgramsAreServiceAccounts(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.UserFilter = "(objectClass=*)"
	class, err := open(t, config).Classify(t.Context(), identityOf(t, s, s.ReaderDN))
	if err != nil || class.Origin != schemas.OriginService {
		t.Errorf("an entry of the class simpleSecurityObject is %+v, %v", class, err)
	}
}
