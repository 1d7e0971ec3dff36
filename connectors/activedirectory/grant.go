package activedirectory

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// trustee names resetd's own account as dsacls wants it.
func (d *directory) trustee() string {
	d.facts.mu.Lock()
	defer d.facts.mu.Unlock()
	if d.facts.netbios != "" && d.facts.self.name != "" {
		return d.facts.netbios + `\` + d.facts.self.name
	}
	return d.config.BindUser
}

// Schema identifiers ([MS-ADA1], [MS-ADA3], [MS-ADSC]), as an access control list names what a right is about.
const (
	idUser    = "bf967aba-0de6-11d0-a285-00aa003049e2"
	idControl = "bf967a68-0de6-11d0-a285-00aa003049e2"
	idLastSet = "bf967a0a-0de6-11d0-a285-00aa003049e2"
)

// samba gives the command by which Samba, which has no dsacls, takes rights to users below an entry: each by its letters and by
// what it is about. It is empty unless the domain controller is one. The trustee is a SID, because a name in SDDL means something
// else, or nothing.
func (d *directory) samba(dn string, rights ...[2]string) string {
	d.facts.mu.Lock()
	defer d.facts.mu.Unlock()
	if !d.facts.samba {
		return ""
	}
	who, before := d.facts.self.sid.String(), ""
	if !d.facts.self.sid.valid() {
		who, before = "$SID", "SID=$(samba-tool user show resetd --attributes=objectSid | awk '/objectSid/{print $2}'), with the name of resetd's account in place of resetd, and "
	}
	list := ""
	for _, one := range rights {
		list += "(OA;CIIO;" + one[0] + ";" + one[1] + ";" + idUser + ";" + who + ")"
	}
	return fmt.Sprintf(`%ssamba-tool dsacl set --objectdn="%s" --sddl="%s"`, before, dn, list)
}

// grantReset says how to grant what a reset takes, on what lies beside an entry.
func (d *directory) grantReset(dn string) string {
	if command := d.samba(d.parent(dn), [2]string{"CR", rightResetPassword}, [2]string{"WP", idLastSet}); command != "" {
		return "grant Reset Password and Write pwdLastSet on users: " + command + " (only if resetd is meant to act there)"
	}
	who := d.trustee()
	return fmt.Sprintf(`grant Reset Password and Write pwdLastSet on users: dsacls "%s" /I:S /G "%s:CA;Reset Password;user" "%s:RPWP;pwdLastSet;user" (only if resetd is meant to act there)`,
		d.parent(dn), who, who)
}

// grantRead says how to grant reading what a reset is proved by.
func (d *directory) grantRead(dn string) string {
	if command := d.samba(d.parent(dn), [2]string{"RP", idControl}, [2]string{"RP", idLastSet}); command != "" {
		return command
	}
	who := d.trustee()
	return fmt.Sprintf(`dsacls "%s" /I:S /G "%s:RP;%s;user" "%s:RP;%s;user"`, d.parent(dn), who, attrControl, who, attrLastSet)
}

// parent gives the entry above, or the entry itself where that would leave the base.
func (d *directory) parent(name string) string {
	dn, err := ldap.ParseDN(name)
	if err != nil || len(dn.RDNs) == 0 {
		return name
	}
	above := &ldap.DN{RDNs: dn.RDNs[1:]}
	if !d.below(above) {
		return name
	}
	return above.String()
}
