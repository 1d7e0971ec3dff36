package openldap

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// grantFirst begins every suggested rule. The rules leave everybody else to those after them (by * break), so their order
// among themselves is free, and they carry no number; but behind another rule for the same attribute they have no effect.
const grantFirst = "grant, ahead of the rules that are there: olcAccess: "

// grant writes an access rule for resetd's account on everything below the base, as it stands in cn=config.
func (d *directory) grant(attributes, level string) string {
	return d.rule(d.config.BaseDN, attributes, level)
}

// grantAt writes the rule for what lies beside one entry. resetd may be kept away from there on purpose, so it says so.
func (d *directory) grantAt(dn, attributes, level string) string {
	return d.rule(d.parent(dn), attributes, level) + " (only if resetd is meant to act there)"
}

// grantWrite writes the rule by which an attribute may be written. For userPassword that is =w alone: the level write
// holds read, and resetd has no business with password hashes.
func (d *directory) grantWrite(dn, attribute string) string {
	if attribute == attrSecret {
		return d.grantAt(dn, attribute, "=w")
	}
	return d.grantAt(dn, attribute, "write")
}

func (d *directory) rule(subtree, attributes, level string) string {
	return fmt.Sprintf("%sto dn.subtree=%q attrs=%s by dn.exact=%q %s by * break", grantFirst, subtree, attributes, d.config.BindDN, level)
}

// parent gives the entry above, or the entry itself where that would leave the base.
func (d *directory) parent(name string) string {
	dn, err := ldap.ParseDN(name)
	if err != nil || d.base == nil || len(dn.RDNs) == 0 {
		return name
	}
	above := &ldap.DN{RDNs: dn.RDNs[1:]}
	if !d.base.EqualFold(above) && !d.base.AncestorOfFold(above) {
		return name
	}
	return above.String()
}
