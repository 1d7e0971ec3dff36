package ldap389_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// An account that is added under passwordMustChange has to change its password itself. The README tells to take the mark away.
func TestAccountForResetdAsTheReadmeMakesIt(t *testing.T) {
	s := testserver.DS389(t, testserver.WithoutPasswordAdmin())
	const password = "A-long-random-passw0rd"
	dn := "uid=new,ou=services," + s.BaseDN
	r := ldap.NewAddRequest(dn, nil)
	r.Attribute("objectClass", []string{"account", "simpleSecurityObject"})
	r.Attribute("uid", []string{"new"})
	r.Attribute("userPassword", []string{password})
	if err := asRoot(t, s).Add(r); err != nil {
		t.Fatal(err)
	}
	config := configOf(s)
	config.BindDN, config.Password = dn, schemas.NewSecret(password)
	_, err := open(t, config).Probe(t.Context())
	wantCode(t, err, schemas.CodeBadCredentials)

	change(t, s, dn, "passwordExpirationTime", "20380119031407Z")
	if got := login(t, s, dn, password); got != conformance.LoginAccepted {
		t.Errorf("without the mark the account is %s", got)
	}
	if _, err := open(t, config).Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPasswordAdministratorsMayBeAGroup(t *testing.T) {
	s := testserver.DS389(t, testserver.WithoutPasswordAdmin())
	group := "cn=password administrators,ou=services," + s.BaseDN
	r := ldap.NewAddRequest(group, nil)
	r.Attribute("objectClass", []string{"groupOfNames"})
	r.Attribute("cn", []string{"password administrators"})
	r.Attribute("member", []string{s.ServiceDN})
	if err := asRoot(t, s).Add(r); err != nil {
		t.Fatal(err)
	}
	change(t, s, "cn=config", "passwordAdminDN", group)
	p := newProxy(t, s)
	jdoe := s.Person(testserver.JDoe)
	if _, err := open(t, p.config()).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if p.Modifies() != 1 {
		t.Errorf("the reset took %d changes; a password administrator's takes one", p.Modifies())
	}
}
