package testserver

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"unicode/utf16"
)

const sambaBase = "DC=resetd,DC=test"

// The accounts that every domain holds, and what is special about each. JDoe, Alice, Bob, Twin1, Twin2 and Vera are as in
// every directory of this package: Vera lies in VIPDN, where the service may not reset.
const (
	NoExpiry  = "noexpiry"  // DONT_EXPIRE_PASSWORD: pwdLastSet=0 is stored and ignored
	SmartCard = "smartcard" // SMARTCARD_REQUIRED
	Disabled  = "disabled"  // ACCOUNTDISABLE
	Fixed     = "fixed"     // may not change the own password: the two access rights behind "User cannot change password"
	Chief     = "chief"     // member of Domain Admins
	Nested    = "nested"    // member of the group Tier0, which is a member of Domain Admins
	Former    = "former"    // adminCount=1, and no group to show for it
	Operator  = "operator"  // member of Account Operators
	Robot     = "robot$"    // a group managed service account, in PeopleDN
	Computer  = "ws1$"      // a computer, in PeopleDN
	Long      = "long"      // under a password settings object that asks for 40 characters, which the service may read
	Alias     = "alias"     // has the addresses alias.one@example.com and alias.two@example.com in proxyAddresses
)

// sambaRights is what the service may do, as on the page of the kind: in PeopleDN reset passwords and write
// pwdLastSet of users, and nothing else. %s is its SID.
const sambaRights = "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;%[1]s)" +
	"(OA;CIIO;WP;bf967a0a-0de6-11d0-a285-00aa003049e2;bf967aba-0de6-11d0-a285-00aa003049e2;%[1]s)"

// Person returns an account by its name, one of the constants or a BulkUID. Mail is also set for names that nobody has.
func (s *SambaServer) Person(name string) Person { return sambaPerson(name, s.secret) }

func sambaPerson(name, secret string) Person {
	parent, mail := "OU=People,"+sambaBase, name+"@example.com"
	switch name {
	case Twin1, Twin2:
		mail = "twins@example.com"
	case Vera:
		parent = "OU=VIP," + sambaBase
	}
	return Person{UID: name, DN: "CN=" + strings.TrimSuffix(name, "$") + "," + parent, Mail: mail, Password: "Before-" + name + "-" + secret}
}

// The flags of userAccountControl ([MS-ADTS] 2.2.16).
const (
	uacDisabled  = 0x2
	uacNormal    = 0x200
	uacComputer  = 0x1000
	uacNoExpiry  = 0x10000
	uacSmartCard = 0x40000
)

// sambaEntries renders the domain's people as LDIF with change records.
func sambaEntries(settings sambaSettings, secret string, seed sambaSeed) []byte {
	var ldif bytes.Buffer
	record := func(dn, kind string, lines ...string) {
		fmt.Fprintf(&ldif, "dn: %s\nchangetype: %s\n%s\n\n", dn, kind, strings.Join(lines, "\n"))
	}
	for _, unit := range []string{"People", "VIP", "Services", "Groups"} {
		record("OU="+unit+","+sambaBase, "add", "objectClass: organizationalUnit")
	}
	user := func(dn, name, password string, uac int, more ...string) {
		record(dn, "add", append([]string{"objectClass: user", "sAMAccountName: " + name, "userPrincipalName: " + name + "@resetd.test",
			"userAccountControl: " + strconv.Itoa(uac), "unicodePwd:: " + quotedPassword(password)}, more...)...)
	}
	person := func(name string, uac int, more ...string) {
		p := sambaPerson(name, secret)
		user(p.DN, name, p.Password, uac, append(more, "mail: "+p.Mail)...)
	}
	user("CN=resetd,OU=Services,"+sambaBase, "resetd", seed.Service, uacNormal|uacNoExpiry)
	user("CN=reader,OU=Services,"+sambaBase, "reader", seed.Reader, uacNormal|uacNoExpiry)
	for _, name := range []string{JDoe, Alice, Bob, Twin1, Twin2, Vera, Fixed, Chief, Nested, Operator, Long} {
		person(name, uacNormal)
	}
	person(NoExpiry, uacNormal|uacNoExpiry)
	person(SmartCard, uacNormal|uacSmartCard)
	person(Disabled, uacNormal|uacDisabled)
	person(Former, uacNormal, "adminCount: 1")
	person(Alias, uacNormal, "proxyAddresses: SMTP:alias.one@example.com", "proxyAddresses: smtp:alias.two@example.com")
	for i := range settings.users {
		person(BulkUID(i+1), uacNormal)
	}
	record(sambaPerson(Computer, "").DN, "add", "objectClass: computer", "sAMAccountName: "+Computer, "userAccountControl: "+strconv.Itoa(uacComputer))
	record(sambaPerson(Robot, "").DN, "add", "objectClass: msDS-GroupManagedServiceAccount", "sAMAccountName: "+Robot,
		"msDS-ManagedPasswordInterval: 30", "userAccountControl: "+strconv.Itoa(uacComputer))
	record("CN=Tier0,OU=Groups,"+sambaBase, "add", "objectClass: group", "sAMAccountName: Tier0", "member: "+sambaPerson(Nested, "").DN)
	record("CN=Domain Admins,CN=Users,"+sambaBase, "modify", "add: member", "member: "+sambaPerson(Chief, "").DN, "member: CN=Tier0,OU=Groups,"+sambaBase, "-")
	record("CN=Account Operators,CN=Builtin,"+sambaBase, "modify", "add: member", "member: "+sambaPerson(Operator, "").DN, "-")
	const century = "-31556952000000000" // in 100 ns, as all of these times
	record("CN=long,CN=Password Settings Container,CN=System,"+sambaBase, "add", "objectClass: msDS-PasswordSettings",
		"msDS-PasswordSettingsPrecedence: 10", "msDS-PasswordReversibleEncryptionEnabled: FALSE", "msDS-PasswordHistoryLength: 0",
		"msDS-PasswordComplexityEnabled: TRUE", "msDS-MinimumPasswordLength: 40", "msDS-MinimumPasswordAge: 0", "msDS-MaximumPasswordAge: "+century,
		"msDS-LockoutThreshold: 0", "msDS-LockoutObservationWindow: 0", "msDS-LockoutDuration: 0", "msDS-PSOAppliesTo: "+sambaPerson(Long, "").DN)
	return ldif.Bytes()
}

// grant writes the access rights that LDIF has no form for.
func (t sambaTools) grant(ctx context.Context, space *workspace) error {
	for _, one := range [][2]string{
		{"OU=People," + sambaBase, sambaRights},
		// Change Password, denied to oneself and to everybody: what the tools show as "User cannot change password".
		{sambaPerson(Fixed, "").DN, "(OD;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)(OD;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)%.0[1]s"},
		{"CN=Password Settings Container,CN=System," + sambaBase, "(A;CI;RPLCLORC;;;%[1]s)"},
	} {
		if err := t.allow(ctx, space, one[0], one[1], "resetd"); err != nil {
			return err
		}
	}
	return nil
}

// allow adds entries to an access control list. In the entries, which are SDDL ([MS-DTYP] 2.5.1), %s stands for the SID of the
// account with that name.
func (t sambaTools) allow(ctx context.Context, space *workspace, dn, entries, name string) error {
	config, sam := space.file("smb.conf"), space.file("private/sam.ldb")
	found, err := exec.CommandContext(ctx, t.ldbsearch, "--configfile="+config, "-H", sam, "(sAMAccountName="+name+")", "objectSid").Output()
	if err != nil {
		return fmt.Errorf("looking for %s: %w", name, err)
	}
	_, sid, _ := strings.Cut(string(found), "objectSid: ")
	sid, _, _ = strings.Cut(sid, "\n")
	return space.run(ctx, t.tool, "dsacl", "set", "--configfile="+config, "-H", sam, "--objectdn="+dn, "--sddl="+fmt.Sprintf(entries, sid))
}

// Grant adds entries to the access control list of an entry while the server runs. In the entries, which are SDDL, %s stands for the SID
// of the account, which is named by its user principal name.
func (s *SambaServer) Grant(ctx context.Context, dn, entries, account string) error {
	name, _, _ := strings.Cut(account, "@")
	return s.tools.allow(ctx, s.space, dn, entries, name)
}

// quotedPassword gives a password as unicodePwd wants it, in quotes and UTF-16 ([MS-ADTS] 3.1.1.3.1.5), in base64.
func quotedPassword(password string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return base64.StdEncoding.EncodeToString(out)
}
