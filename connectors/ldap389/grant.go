package ldap389

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// What an access rule lets resetd do with an account. Reading needs search and compare for filters.
const (
	rightsRead  = "read, search, compare"
	rightsWrite = "write"
)

// readable are the attributes that resetd reads of an account, for an access rule.
func (d *directory) readable() string {
	return strings.Join(append(d.attributes(), d.config.MailAttribute), " || ")
}

// grant writes an access rule for resetd's account on everything below the base.
func (d *directory) grant(attributes, rights string) string {
	return d.rule(d.config.BaseDN, attributes, rights)
}

// grantAt writes the rule for what lies beside one entry. resetd may be kept away from there on purpose, so it says so.
func (d *directory) grantAt(dn, attributes, rights string) string {
	return d.rule(d.parent(dn), attributes, rights) + " (only if resetd is meant to act there)"
}

// grantReset writes the rule by which passwords may be reset.
func (d *directory) grantReset(dn string) string {
	return d.grantAt(dn, attrSecret+" || "+attrExpires, rightsWrite)
}

// inURL escapes what would end the URL of a name, or the quotes around it, inside a rule.
var inURL = strings.NewReplacer("%", "%25", `"`, "%22", "?", "%3f", " ", "%20", "<", "%3c", ">", "%3e", `\`, "%5c")

// rule writes one value of the attribute aci.
func (d *directory) rule(at, attributes, rights string) string {
	return fmt.Sprintf(`add to %s the value aci: (targetattr="%s")(version 3.0; acl "resetd, %s"; allow (%s) userdn="ldap:///%s";)`,
		at, attributes, rights, rights, inURL.Replace(d.config.BindDN))
}

// parent gives the entry above, or the entry itself where that would leave the base.
func (d *directory) parent(name string) string {
	dn, err := ldap.ParseDN(name)
	if err != nil || len(dn.RDNs) == 0 {
		return name
	}
	above := &ldap.DN{RDNs: dn.RDNs[1:]}
	if !d.base.EqualFold(above) && !d.base.AncestorOfFold(above) {
		return name
	}
	return above.String()
}
