package testserver

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func TestDS389IsADirectoryWithPeople(t *testing.T) {
	s := DS389(t, WithPeople(3))
	for _, uid := range []string{JDoe, Alice, Bob, Twin1, Twin2, Larry, Vera, BulkUID(1), BulkUID(3)} {
		p := s.Person(uid)
		if policy, err := s.Bind(p.DN, p.Password); err != nil || policy != -1 {
			t.Errorf("%s cannot sign in: %d, %v", uid, policy, err)
		}
		if got, err := s.Values(p.DN, "mail"); err != nil || len(got) != 1 || got[0] != p.Mail {
			t.Errorf("%s has the address %q, %v", uid, got, err)
		}
	}
	idle := s.Person(Idle)
	if _, err := s.Bind(idle.DN, idle.Password); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
		t.Errorf("the account that was made inactive: %v", err)
	}
	if _, err := s.Bind(s.Person(JDoe).DN, "wrong"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	for dn, password := range map[string]string{s.ServiceDN: s.ServicePassword, s.ReaderDN: s.ReaderPassword, s.HelperDN: s.HelperPassword} {
		if _, err := s.Bind(dn, password); err != nil {
			t.Errorf("%s cannot sign in: %v", dn, err)
		}
	}
}

// Who may write what: the server is the judge of the documented access rules.
func TestDS389LetsTheServiceSetPasswordsWhereItMay(t *testing.T) {
	s := DS389(t)
	for _, one := range []struct {
		by, password, uid, attribute string
		may                          bool
	}{
		{s.ServiceDN, s.ServicePassword, JDoe, "userPassword", true},
		{s.ServiceDN, s.ServicePassword, Larry, "userPassword", true},
		{s.ServiceDN, s.ServicePassword, Vera, "userPassword", false},
		{s.ServiceDN, s.ServicePassword, JDoe, "passwordExpirationTime", true},
		{s.ServiceDN, s.ServicePassword, JDoe, "description", false},
		{s.HelperDN, s.HelperPassword, JDoe, "userPassword", true},
		{s.HelperDN, s.HelperPassword, JDoe, "passwordExpirationTime", false},
		{s.ReaderDN, s.ReaderPassword, JDoe, "userPassword", false},
	} {
		conn, err := s.Connect(one.by, one.password)
		if err != nil {
			t.Fatal(err)
		}
		r := ldap.NewModifyRequest(s.Person(one.uid).DN, nil)
		value := newPassword() + "-a1" // of all the kinds of characters that the policy asks for
		if one.attribute == "passwordExpirationTime" {
			value = "19700101000001Z"
		}
		r.Replace(one.attribute, []string{value})
		err = conn.Modify(r)
		if one.may && err != nil || !one.may && !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
			t.Errorf("%s writes %s of %s: %v; may it: %t", one.by, one.attribute, one.uid, err, one.may)
		}
		_ = conn.Close()
	}
}

func TestDS389RunSideBySideAndComeBackWithTheirData(t *testing.T) {
	one, two := DS389(t), DS389(t)
	if one.URL == two.URL {
		t.Fatal("two servers have one address")
	}
	r := ldap.NewModifyRequest(one.Person(JDoe).DN, nil)
	r.Replace("description", []string{"kept"})
	conn, err := one.Connect(one.RootDN, one.RootPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Modify(r); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	for _, end := range []func() error{one.Stop, one.Kill} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := one.Restart(); err != nil {
			t.Fatal(err)
		}
		if got, err := one.Values(one.Person(JDoe).DN, "description"); err != nil || len(got) != 1 || got[0] != "kept" {
			t.Errorf("after a restart: %q, %v", got, err)
		}
	}
	if got, err := two.Values(two.Person(JDoe).DN, "description"); err != nil || len(got) != 0 {
		t.Errorf("the other server has it too: %q, %v", got, err)
	}
}

// Another process may have the port for a moment.
func TestDS389IsStartedAgainWhenItsPortIsTaken(t *testing.T) {
	s := DS389(t)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	var taken net.Listener
	var err error
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) { // the port may not be free at once
		if taken, err = net.Listen("tcp", strings.TrimPrefix(s.URL, "ldaps://")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the port of the server that was stopped cannot be taken: %v", err)
		}
	}
	time.AfterFunc(2*time.Second, func() { _ = taken.Close() })
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Values(s.Person(JDoe).DN, "uid"); err != nil {
		t.Error(err)
	}
}
