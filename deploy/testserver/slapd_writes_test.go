package testserver

import (
	"maps"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestPasswordWritesCountsSuccessfulChangesPerAccount(t *testing.T) {
	s := Slapd(t)
	conn := service(t, s)
	jdoe, alice := s.Person(JDoe), s.Person(Alice)

	wantCode(t, conn.Modify(reset(jdoe.DN, fresh)), ldap.LDAPResultSuccess)
	// The same entry by another spelling of its name.
	wantCode(t, conn.Modify(reset(strings.ToUpper(jdoe.DN), fresh+"2")), ldap.LDAPResultSuccess)
	_, err := conn.PasswordModify(ldap.NewPasswordModifyRequest(alice.DN, "", fresh))
	wantCode(t, err, ldap.LDAPResultSuccess)

	// None of these changes a password.
	wantCode(t, conn.Modify(reset(s.Person(Vera).DN, fresh)), ldap.LDAPResultInsufficientAccessRights)
	wantCode(t, conn.Modify(reset(s.Person(Bob).DN, "short")), ldap.LDAPResultConstraintViolation)
	flag := ldap.NewModifyRequest(s.Person(Bob).DN, nil)
	flag.Replace("pwdReset", []string{"TRUE"})
	wantCode(t, conn.Modify(flag), ldap.LDAPResultSuccess)

	wantWrites(t, s, map[string]int{jdoe.DN: 2, alice.DN: 1})

	// The count outlives the process.
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, service(t, s).Modify(reset(alice.DN, fresh+"3")), ldap.LDAPResultSuccess)
	wantWrites(t, s, map[string]int{jdoe.DN: 2, alice.DN: 2})
}

func wantWrites(t *testing.T, s *SlapdServer, want map[string]int) {
	t.Helper()
	writes, err := s.PasswordWrites()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(writes, want) {
		t.Errorf("password writes %v, want %v", writes, want)
	}
}

func TestEveryAnsweredWriteIsCountedUnderLoad(t *testing.T) {
	const people, workers = 200, 8
	s := Slapd(t, WithUsers(people))
	uids := make(chan string)
	var all sync.WaitGroup
	for range workers {
		conn := service(t, s)
		all.Go(func() {
			for uid := range uids {
				if err := conn.Modify(reset(s.Person(uid).DN, fresh)); err != nil {
					t.Errorf("%s: %v", uid, err)
				}
			}
		})
	}
	want := map[string]int{}
	for i := range people {
		uids <- BulkUID(i + 1)
		want[s.Person(BulkUID(i+1)).DN] = 1
	}
	close(uids)
	all.Wait()
	wantWrites(t, s, want)
}

func TestAuditLogHoldsNoClearPassword(t *testing.T) {
	s := Slapd(t)
	wantCode(t, service(t, s).Modify(reset(s.Person(JDoe).DN, fresh)), ldap.LDAPResultSuccess)
	content, err := os.ReadFile(s.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	hashed := false
	for _, line := range unfold(string(content)) {
		name, value := attribute(line)
		if strings.Contains(value, fresh) {
			t.Errorf("the audit log shows a password in clear")
		}
		hashed = hashed || (name == "userPassword" && strings.HasPrefix(value, "{SSHA}"))
	}
	if !hashed {
		t.Error("the audit log shows no hashed password: the test looked at the wrong lines")
	}
}

func TestAuditRecordsAreReadWhateverTheirForm(t *testing.T) {
	s := &SlapdServer{AuditLog: t.TempDir() + "/audit.ldif"}
	const log = `# modify 1795337415 dc=example,dc=com cn=root IP=127.0.0.1:36200 conn=1002
dn: uid=somebody-with-a-very-long-name,ou=people,dc=exa
 mple,dc=com
changetype: modify
replace: pwdReset
pwdReset: TRUE
-
delete: USERPASSWORD
-
add: userPassword
userPassword:: e1NTSEF9
-
# end modify 1795337415

# modify 1795337416 dc=example,dc=com cn=root IP=127.0.0.1:36200 conn=1002
dn:: dWlkPWrDvHJnZW4sZGM9ZXhhbXBsZSxkYz1jb20=
changetype: modify
replace: userPassword
-
# end modify 1795337416

# add 1795337417 dc=example,dc=com cn=root IP=127.0.0.1:36200 conn=1002
dn: uid=new,dc=example,dc=com
changetype: add
userPassword:: e1NTSEF9
# end add 1795337417

# modify 1795337418 dc=example,dc=com cn=root IP=127.0.0.1:36200 conn=1002
dn: uid=torn,dc=example,dc=com
changetype: modify
replace: userPassword
`
	if err := os.WriteFile(s.AuditLog, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWrites(t, s, map[string]int{
		"uid=somebody-with-a-very-long-name,ou=people,dc=example,dc=com": 1,
		"uid=jürgen,dc=example,dc=com":                                   1,
	})
}
