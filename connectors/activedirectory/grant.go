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

// grantReset says how to grant what a reset takes, on what lies beside an entry.
func (d *directory) grantReset(dn string) string {
	who := d.trustee()
	return fmt.Sprintf(`grant Reset Password and Write pwdLastSet on users: dsacls "%s" /I:S /G "%s:CA;Reset Password;user" "%s:RPWP;pwdLastSet;user" (only if resetd is meant to act there)`,
		d.parent(dn), who, who)
}

// grantRead says how to grant reading.
func (d *directory) grantRead(dn, attribute string) string {
	return fmt.Sprintf(`dsacls "%s" /I:S /G "%s:RP;%s;user"`, d.parent(dn), d.trustee(), attribute)
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
