package testserver

import (
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestServiceMayResetWhereItShallAndNowhereElse(t *testing.T) {
	s := Slapd(t)
	for uid, code := range map[string]uint16{
		JDoe:  ldap.LDAPResultSuccess,
		Larry: ldap.LDAPResultSuccess,
		Mona:  ldap.LDAPResultSuccess,
		Vera:  ldap.LDAPResultInsufficientAccessRights,
	} {
		t.Run(uid, func(t *testing.T) {
			wantCode(t, service(t, s).Modify(reset(s.Person(uid).DN, fresh)), code)
		})
	}
	wantBind(t, s, s.Person(Vera).DN, s.Person(Vera).Password, ldap.LDAPResultSuccess, noPolicyError)
	wantCode(t, service(t, s).Modify(reset("uid=ghost,"+s.PeopleDN, fresh)), ldap.LDAPResultNoSuchObject)
	wantCode(t, service(t, s).Modify(reset(s.Person(Alice).DN, "short")), ldap.LDAPResultConstraintViolation)
}

func TestServiceMayWriteNothingBesidePasswordAndFlag(t *testing.T) {
	s := Slapd(t)
	conn := service(t, s)
	mail := ldap.NewModifyRequest(s.Person(JDoe).DN, nil)
	mail.Replace("mail", []string{"thief@example.com"})
	policy := ldap.NewModifyRequest(s.StrictPolicyDN, nil)
	policy.Replace("pwdMustChange", []string{"FALSE"})
	own := ldap.NewModifyRequest(s.ReaderDN, nil)
	own.Replace("userPassword", []string{fresh})
	for _, request := range []*ldap.ModifyRequest{mail, policy, own} {
		wantCode(t, conn.Modify(request), ldap.LDAPResultInsufficientAccessRights)
	}
	wantCode(t, conn.Del(ldap.NewDelRequest(s.Person(JDoe).DN, nil)), ldap.LDAPResultInsufficientAccessRights)
}

func TestReaderMayReadPeopleAndPolicyButWriteNothing(t *testing.T) {
	s := Slapd(t)
	conn := connect(t, s, s.ReaderDN, s.ReaderPassword)
	wantCode(t, conn.Modify(reset(s.Person(JDoe).DN, fresh)), ldap.LDAPResultInsufficientAccessRights)
	for dn, want := range map[string]int{s.Person(JDoe).DN: 1, s.StrictPolicyDN: 1} {
		result, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
			"(objectClass=*)", []string{"cn", "userPassword"}, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(result.Entries[0].GetAttributeValues("cn")); got != want {
			t.Errorf("%s: %d names readable, want %d", dn, got, want)
		}
		if hash := result.Entries[0].GetAttributeValues("userPassword"); len(hash) != 0 {
			t.Errorf("%s: the reader sees a password hash", dn)
		}
	}
}

// What a connector needs to tell a reset that holds from one that does not.
func TestServiceSeesWhichPolicyHolds(t *testing.T) {
	for name, s := range map[string]*SlapdServer{"with": Slapd(t), "without": Slapd(t, WithoutPpolicy())} {
		read := func(dn, attribute string) []string {
			t.Helper()
			result, err := service(t, s).Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
				0, 0, false, "(objectClass=*)", []string{attribute}, nil))
			if err != nil {
				t.Fatal(err)
			}
			return result.Entries[0].GetAttributeValues(attribute)
		}
		offered := slices.Contains(read("", "supportedControl"), ldap.ControlTypeBeheraPasswordPolicy)
		if want := name == "with"; offered != want {
			t.Errorf("%s the overlay: the control is offered: %v", name, offered)
		}
		if name == "without" {
			continue
		}
		if policy := read(s.Person(Larry).DN, "pwdPolicySubentry"); !slices.Equal(policy, []string{s.LaxPolicyDN}) {
			t.Errorf("larry's policy is %v, want %s", policy, s.LaxPolicyDN)
		}
		for dn, want := range map[string]string{s.StrictPolicyDN: "TRUE", s.LaxPolicyDN: "FALSE"} {
			if got := read(dn, "pwdMustChange"); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: pwdMustChange %v, want %s", dn, got, want)
			}
		}
	}
}

// The probe that changes nothing: deleting a value that is not there tells by
// its code whether a real write would be allowed.
func TestDeletingAnAbsentValueTellsTheRight(t *testing.T) {
	s := Slapd(t)
	attempt := func(conn *ldap.Conn, uid, attribute, value string) error {
		request := ldap.NewModifyRequest(s.Person(uid).DN, nil)
		request.Delete(attribute, []string{value})
		return conn.Modify(request)
	}
	allowed, denied := service(t, s), connect(t, s, s.ReaderDN, s.ReaderPassword)
	for attribute, value := range map[string]string{"userPassword": fresh, "pwdReset": "TRUE"} {
		for _, uid := range []string{JDoe, Larry, Mona} {
			wantCode(t, attempt(allowed, uid, attribute, value), ldap.LDAPResultNoSuchAttribute)
		}
		wantCode(t, attempt(allowed, Vera, attribute, value), ldap.LDAPResultInsufficientAccessRights)
		wantCode(t, attempt(denied, JDoe, attribute, value), ldap.LDAPResultInsufficientAccessRights)
	}
	if writes, err := s.PasswordWrites(); err != nil || len(writes) != 0 {
		t.Errorf("the probes count as writes: %v, %v", writes, err)
	}
}

func TestNobodySearchesAnonymously(t *testing.T) {
	s := Slapd(t)
	conn, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Search(ldap.NewSearchRequest(s.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(uid=jdoe)", nil, nil))
	wantCode(t, err, ldap.LDAPResultNoSuchObject)
}
