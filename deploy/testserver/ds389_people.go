package testserver

import (
	"bytes"
	"fmt"
)

// Idle is the account of a 389 Directory Server that an administrator has locked (nsAccountLock). The others have the names and
// meanings of slapd_people.go, as far as the server has a place for them: Mona has none.
const Idle = "idle"

// Person returns an account by its user name, one of the constants or a BulkUID. Unknown names give an account that does
// not exist.
func (s *DS389Server) Person(uid string) Person {
	parent, mail := s.PeopleDN, uid+"@example.com"
	switch uid {
	case Twin1, Twin2:
		mail = "twins@example.com"
	case Larry:
		parent = s.LaxDN
	case Vera:
		parent = s.VIPDN
	}
	return Person{UID: uid, DN: "uid=" + uid + "," + parent, Mail: mail, Password: "Before-" + uid + "-" + s.secret}
}

// ds389Readable are the attributes that the service reads of an account.
const ds389Readable = "objectClass || uid || mail || nsUniqueId || entryusn || modifyTimestamp || passwordExpirationTime || pwdUpdateTime || " +
	"pwdReset || nsAccountLock || pwdPolicySubentry"

// ds389Policy are the attributes that the service reads of a password policy.
const ds389Policy = "objectClass || passwordMustChange || passwordTrackUpdateTime || passwordMinLength || passwordAdminDN || nsslapd-pwpolicy-local"

// ds389Rule renders an access rule.
func ds389Rule(attributes, name, rights, who string) string {
	return fmt.Sprintf(`aci: (targetattr="%s")(version 3.0; acl "%s"; allow (%s) userdn="ldap:///%s";)`, attributes, name, rights, who)
}

// rules are the access rules: those that resetd's documentation asks an administrator for, one for an account that may
// read, and one that lets people change their own passwords.
func (s *DS389Server) rules() map[string][]string {
	rule := ds389Rule
	write := rule("userPassword || passwordExpirationTime", "resetd may reset passwords", "write", s.ServiceDN)
	return map[string][]string{
		s.BaseDN: {
			rule(ds389Readable, "resetd may read", "read, search, compare", s.ServiceDN),
			rule("*", "reader may read", "read, search, compare", s.ReaderDN),
			rule(ds389Readable, "helper may read", "read, search, compare", s.HelperDN),
			rule("userPassword", "own password", "write", "self"),
		},
		s.PeopleDN: {write, rule("userPassword", "helper may set passwords", "write", s.HelperDN)},
		s.LaxDN:    {write},
		// A rule's own entry holds it, so this is one for the policies below, too.
		"ou=policies," + s.BaseDN: {rule(ds389Policy, "resetd may read password policies", "read, search, compare", s.ServiceDN)},
	}
}

// entries renders the directory's first content as LDIF (RFC 2849).
func (s *DS389Server) entries() ([]byte, error) {
	var ldif bytes.Buffer
	rules := s.rules()
	entry := func(dn string, lines ...string) {
		fmt.Fprintf(&ldif, "dn: %s\n", dn)
		for _, line := range append(lines, rules[dn]...) {
			fmt.Fprintln(&ldif, line)
		}
		fmt.Fprintln(&ldif)
	}
	entry(s.BaseDN, "objectClass: domain", "dc: example")
	for _, name := range []string{"people", "lax", "vip", "policies", "services"} {
		entry("ou="+name+","+s.BaseDN, "objectClass: organizationalUnit", "ou: "+name)
	}
	entry(s.LaxPolicyDN, "objectClass: ldapsubentry", "objectClass: passwordpolicy", "cn: lax", "passwordMustChange: off", "passwordTrackUpdateTime: on")
	for _, account := range []struct{ dn, uid, password string }{
		{s.ServiceDN, "resetd", s.ServicePassword}, {s.ReaderDN, "reader", s.ReaderPassword}, {s.HelperDN, "helper", s.HelperPassword},
	} {
		hash, err := hashPassword(account.password)
		if err != nil {
			return nil, err
		}
		entry(account.dn, "objectClass: account", "objectClass: simpleSecurityObject", "uid: "+account.uid, "userPassword: "+hash)
	}
	uids := []string{JDoe, Alice, Bob, Twin1, Twin2, Larry, Vera, Idle}
	for i := range s.settings.users {
		uids = append(uids, BulkUID(i+1))
	}
	for _, uid := range uids {
		p := s.Person(uid)
		hash, err := hashPassword(p.Password)
		if err != nil {
			return nil, err
		}
		lines := []string{"objectClass: inetOrgPerson", "uid: " + uid, "cn: " + uid, "sn: " + uid, "mail: " + p.Mail, "userPassword: " + hash}
		switch uid {
		case Larry:
			lines = append(lines, "pwdPolicySubentry: "+s.LaxPolicyDN)
		case Idle:
			lines = append(lines, "nsAccountLock: true")
		}
		entry(p.DN, lines...)
	}
	return ldif.Bytes(), nil
}
