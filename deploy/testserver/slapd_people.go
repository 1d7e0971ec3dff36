package testserver

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // {SSHA} is the hash every OpenLDAP build knows; the passwords live for one test
	"encoding/base64"
	"fmt"
)

// Person is an account of the directory as it was when the server started.
type Person struct {
	UID, DN, Mail, Password string
}

// The people that every directory holds, and what is special about each.
const (
	JDoe  = "jdoe"  // nothing: the ordinary case
	Alice = "alice" // nothing
	Bob   = "bob"   // nothing
	Twin1 = "twin1" // shares the address twins@example.com with Twin2
	Twin2 = "twin2"
	Larry = "larry" // in LaxDN: pwdReset is stored, but ignored when he signs in
	Vera  = "vera"  // in VIPDN: the service may not change her password
	Mona  = "mona"  // in ManageDN: the extended operation sets pwdReset by itself
	Lock  = "lock"  // locked by an administrator, cannot sign in
)

// BulkUID returns the name of the i-th account of WithUsers, counted from 1.
func BulkUID(i int) string { return fmt.Sprintf("u%05d", i) }

// Person returns an account by its user name, one of the constants or a
// BulkUID. Unknown names give an account that does not exist.
func (s *SlapdServer) Person(uid string) Person {
	parent, mail := s.PeopleDN, uid+"@example.com"
	switch uid {
	case Twin1, Twin2:
		mail = "twins@example.com"
	case Larry:
		parent = s.LaxDN
	case Vera:
		parent = s.VIPDN
	case Mona:
		parent = s.ManageDN
	}
	return Person{UID: uid, DN: "uid=" + uid + "," + parent, Mail: mail, Password: "Before-" + uid + "-" + s.secret}
}

// entries renders the directory's first content as LDIF (RFC 2849).
func (s *SlapdServer) entries() ([]byte, error) {
	var ldif bytes.Buffer
	entry := func(dn string, lines ...string) {
		fmt.Fprintf(&ldif, "dn: %s\n", dn)
		for _, line := range lines {
			fmt.Fprintln(&ldif, line)
		}
		fmt.Fprintln(&ldif)
	}
	unit := func(name string) {
		entry("ou="+name+","+s.BaseDN, "objectClass: organizationalUnit", "ou: "+name)
	}
	entry(s.BaseDN, "objectClass: dcObject", "objectClass: organization", "o: Example", "dc: example")
	for _, name := range []string{"people", "lax", "vip", "managed", "policies", "services"} {
		unit(name)
	}
	if !s.settings.plain {
		policy := []string{
			"objectClass: device", // pwdPolicy is auxiliary and needs a structural class
			"objectClass: pwdPolicy", "pwdAttribute: userPassword",
			"pwdCheckQuality: 2", "pwdMinLength: 12", "pwdInHistory: 2",
			"pwdLockout: TRUE", "pwdAllowUserChange: TRUE",
		}
		entry(s.StrictPolicyDN, append(policy, "cn: strict", "pwdMustChange: TRUE")...)
		entry(s.LaxPolicyDN, append(policy, "cn: lax", "pwdMustChange: FALSE")...)
	}
	for _, account := range []struct{ dn, cn, password string }{
		{s.ServiceDN, "resetd", s.ServicePassword}, {s.ReaderDN, "reader", s.ReaderPassword},
	} {
		hash, err := hashPassword(account.password)
		if err != nil {
			return nil, err
		}
		entry(account.dn, "objectClass: organizationalRole", "objectClass: simpleSecurityObject",
			"cn: "+account.cn, "userPassword: "+hash)
	}
	uids := []string{JDoe, Alice, Bob, Twin1, Twin2, Larry, Vera, Mona, Lock}
	for i := range s.settings.users {
		uids = append(uids, BulkUID(i+1))
	}
	for _, uid := range uids {
		lines, err := s.personLines(s.Person(uid))
		if err != nil {
			return nil, err
		}
		entry(s.Person(uid).DN, lines...)
	}
	return ldif.Bytes(), nil
}

// personLines renders one account's attributes.
func (s *SlapdServer) personLines(p Person) ([]string, error) {
	hash, err := hashPassword(p.Password)
	if err != nil {
		return nil, err
	}
	lines := []string{
		"objectClass: inetOrgPerson", "uid: " + p.UID, "cn: " + p.UID, "sn: " + p.UID,
		"mail: " + p.Mail, "userPassword: " + hash,
	}
	if s.settings.plain {
		return lines, nil
	}
	switch p.UID {
	case Larry:
		lines = append(lines, "pwdPolicySubentry: "+s.LaxPolicyDN)
	case Lock:
		// The value by which draft-behera-ldap-password-policy marks an account
		// that only an administrator unlocks.
		lines = append(lines, "pwdAccountLockedTime: 000001010000Z")
	}
	return lines, nil
}

// hashPassword returns a salted SHA-1 hash as OpenLDAP stores it.
func hashPassword(password string) (string, error) {
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...)), nil
}
