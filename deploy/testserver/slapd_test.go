package testserver

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// The codes of draft-behera-ldap-password-policy that the tests expect.
const (
	noPolicyError    = -1
	accountLocked    = 1
	changeAfterReset = 2
)

// A password that the strict policy accepts and nobody has at first.
const fresh = "Quite-A-Long-Password-1"

// connect signs in for a test.
func connect(t *testing.T, s *SlapdServer, dn, password string) *ldap.Conn {
	t.Helper()
	conn, err := s.Connect(dn, password)
	if err != nil {
		t.Fatalf("signing in as %s: %v", dn, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func service(t *testing.T, s *SlapdServer) *ldap.Conn {
	t.Helper()
	return connect(t, s, s.ServiceDN, s.ServicePassword)
}

// reset is the modification that a connector sends: password and flag at once.
func reset(dn, password string) *ldap.ModifyRequest {
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace("userPassword", []string{password})
	request.Replace("pwdReset", []string{"TRUE"})
	return request
}

// wantBind checks how a bind ends: its LDAP code and the policy control's code.
func wantBind(t *testing.T, s *SlapdServer, dn, password string, code uint16, policy int) {
	t.Helper()
	got, err := s.Bind(dn, password)
	wantCode(t, err, code)
	if got != policy {
		t.Errorf("bind as %s: policy code %d, want %d", dn, got, policy)
	}
}

func wantCode(t *testing.T, err error, code uint16) {
	t.Helper()
	if code == ldap.LDAPResultSuccess {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	if !ldap.IsErrorWithCode(err, code) {
		t.Errorf("error %v, want LDAP code %d", err, code)
	}
}

func TestEveryoneSignsInWithTheFirstPassword(t *testing.T) {
	s := Slapd(t, WithUsers(3))
	for _, uid := range []string{JDoe, Alice, Bob, Twin1, Twin2, Larry, Vera, Mona, BulkUID(1), BulkUID(3)} {
		p := s.Person(uid)
		wantBind(t, s, p.DN, p.Password, ldap.LDAPResultSuccess, noPolicyError)
		wantBind(t, s, p.DN, p.Password+"x", ldap.LDAPResultInvalidCredentials, noPolicyError)
	}
	wantBind(t, s, s.Person(BulkUID(4)).DN, s.Person(BulkUID(4)).Password, ldap.LDAPResultInvalidCredentials, noPolicyError)
	wantBind(t, s, s.Person(Lock).DN, s.Person(Lock).Password, ldap.LDAPResultInvalidCredentials, accountLocked)
}

func TestTwinsShareOneAddress(t *testing.T) {
	s := Slapd(t)
	for mail, want := range map[string]int{"jdoe@example.com": 1, "twins@example.com": 2, "ghost@example.com": 0} {
		request := ldap.NewSearchRequest(s.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(mail="+mail+")", []string{"entryUUID"}, nil)
		result, err := service(t, s).Search(request)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Entries) != want {
			t.Errorf("%s: %d entries, want %d", mail, len(result.Entries), want)
		}
	}
}

func TestResetIsEnforcedUnlessThePolicyIsLax(t *testing.T) {
	s := Slapd(t)
	for uid, policy := range map[string]int{JDoe: changeAfterReset, Mona: changeAfterReset, Larry: noPolicyError} {
		p := s.Person(uid)
		wantCode(t, service(t, s).Modify(reset(p.DN, fresh)), ldap.LDAPResultSuccess)
		wantBind(t, s, p.DN, p.Password, ldap.LDAPResultInvalidCredentials, noPolicyError)
		wantBind(t, s, p.DN, fresh, ldap.LDAPResultSuccess, policy)
		if flag, err := s.Values(p.DN, "pwdReset"); err != nil || len(flag) != 1 || flag[0] != "TRUE" {
			t.Errorf("%s: pwdReset is %v, %v", uid, flag, err)
		}
	}
}

func TestUserWhoMustChangeMayDoNothingElseAndIsThenFree(t *testing.T) {
	s := Slapd(t)
	p := s.Person(Bob)
	flag := ldap.NewModifyRequest(p.DN, nil)
	flag.Replace("pwdReset", []string{"TRUE"})
	wantCode(t, service(t, s).Modify(flag), ldap.LDAPResultSuccess)

	own := connect(t, s, p.DN, p.Password)
	_, err := own.Search(ldap.NewSearchRequest(p.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", nil, nil))
	wantCode(t, err, ldap.LDAPResultInsufficientAccessRights)
	_, err = own.PasswordModify(ldap.NewPasswordModifyRequest("", p.Password, p.Password))
	wantCode(t, err, ldap.LDAPResultConstraintViolation)
	_, err = own.PasswordModify(ldap.NewPasswordModifyRequest("", p.Password, "short"))
	wantCode(t, err, ldap.LDAPResultConstraintViolation)
	_, err = own.PasswordModify(ldap.NewPasswordModifyRequest("", p.Password, fresh))
	wantCode(t, err, ldap.LDAPResultSuccess)
	wantBind(t, s, p.DN, fresh, ldap.LDAPResultSuccess, noPolicyError)
}

func TestExtendedOperationSetsTheFlagOnlyUnderManage(t *testing.T) {
	s := Slapd(t)
	for uid, want := range map[string]int{JDoe: 0, Mona: 1} {
		p := s.Person(uid)
		_, err := service(t, s).PasswordModify(ldap.NewPasswordModifyRequest(p.DN, "", fresh))
		wantCode(t, err, ldap.LDAPResultSuccess)
		if flag, err := s.Values(p.DN, "pwdReset"); err != nil || len(flag) != want {
			t.Errorf("%s: pwdReset is %v, %v; want %d values", uid, flag, err, want)
		}
	}
}

func TestWithoutPpolicyTheFlagIsUnknownAndPasswordsAreFree(t *testing.T) {
	s := Slapd(t, WithoutPpolicy())
	p := s.Person(JDoe)
	wantBind(t, s, p.DN, p.Password, ldap.LDAPResultSuccess, noPolicyError)
	wantCode(t, service(t, s).Modify(reset(p.DN, fresh)), ldap.LDAPResultUndefinedAttributeType)
	change := ldap.NewModifyRequest(p.DN, nil)
	change.Replace("userPassword", []string{"short"})
	wantCode(t, service(t, s).Modify(change), ldap.LDAPResultSuccess)
	wantBind(t, s, p.DN, "short", ldap.LDAPResultSuccess, noPolicyError)
}

func TestWithIdlePpolicyTheFlagIsStoredAndHasNoEffect(t *testing.T) {
	s := Slapd(t, WithIdlePpolicy())
	p := s.Person(JDoe)
	wantCode(t, service(t, s).Modify(reset(p.DN, fresh)), ldap.LDAPResultSuccess)
	if flag, err := s.Values(p.DN, "pwdReset"); err != nil || len(flag) != 1 || flag[0] != "TRUE" {
		t.Errorf("pwdReset is %v, %v", flag, err)
	}
	if set, err := s.Values(p.DN, "pwdChangedTime"); err != nil || len(set) != 0 {
		t.Errorf("pwdChangedTime is %v, %v", set, err)
	}
	wantBind(t, s, p.DN, fresh, ldap.LDAPResultSuccess, noPolicyError)
}
