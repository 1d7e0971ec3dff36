package activedirectory

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// The attributes that are read of an account. Constructed ones have to be named.
const (
	attrPassword  = "unicodePwd" // never shown, only written
	attrLastSet   = "pwdLastSet" // 0: must be changed
	attrMeta      = "replPropertyMetaData"
	attrMetaText  = "msDS-ReplAttributeMetaData"
	attrComputed  = "msDS-User-Account-Control-Computed"
	attrToken     = "tokenGroups" // all groups, also those by way of others; shown for a single entry only
	attrAccess    = "nTSecurityDescriptor"
	attrWritable  = "allowedAttributesEffective" // what we may write
	attrPolicy    = "msDS-ResultantPSO"          // the password settings object that holds for the account
	attrControl   = "userAccountControl"
	attrName      = "sAMAccountName"
	attrExpires   = "accountExpires"
	attrAdmin     = "adminCount"
	attrPrimary   = "primaryGroupID"
	attrCritical  = "isCriticalSystemObject"
	attrLocalMark = "uSNChanged"
	attrServices  = "servicePrincipalName"
)

// The flags of userAccountControl and of its computed part ([MS-ADTS] 2.2.16).
const (
	uacDisabled  = 0x2
	uacLocked    = 0x10
	uacTrusts    = 0x800 | 0x1000 | 0x2000 // a trust, a computer, a domain controller
	uacNoExpiry  = 0x10000
	uacSmartCard = 0x40000
	uacExpired   = 0x800000
)

// account is an entry as it was read.
type account struct {
	dn, guid, name string
	sid            sid
	classes        []string
	control        int
	computed       int
	readable       bool   // userAccountControl and pwdLastSet were shown
	lastSet        string // pwdLastSet as it was shown
	expires        time.Time
	admin          bool
	critical       bool
	serves         bool // services run as it
	primary        string
	policy         string
	token          []sid
	access         []ace
	accessShown    bool
	writable       []string
	evidence       schemas.Evidence
}

// read reads the account with that id, and what else is wanted of it. What lies outside of base_dn by now is out of reach.
func (d *directory) read(ctx context.Context, s *session, id string, more ...string) (account, *schemas.Failure) {
	if _, ok := parseGUID(id); !ok {
		return account{}, schemas.Fail(schemas.CodeAccountNotFound, "%q is no objectGUID, so no account has it", ldapconn.Printable(id))
	}
	entries, err := s.Find(ctx, accountSearch("<GUID="+id+">", isAccount, ldap.ScopeBaseObject, 1, more...))
	if code, _ := ldapconn.Answer(err); err != nil && code != ldap.LDAPResultNoSuchObject && code != ldap.LDAPResultReferral {
		return account{}, s.Failure(ctx, "reading the account "+id, err)
	}
	if len(entries) == 1 {
		if dn, err := ldap.ParseDN(entries[0].DN); err == nil && d.below(dn) {
			return accountOf(entries[0]), nil
		}
	}
	return account{}, schemas.Fail(schemas.CodeAccountNotFound, "%s has no account with the objectGUID %s below %s any more", s.Server.URL, id, d.config.BaseDN)
}

// accountSearch asks for everything about accounts. Of the security descriptor it asks for the DACL alone: more would take
// rights that resetd has no use for.
func accountSearch(base, filter string, scope, limit int, more ...string) ldap.SearchRequest {
	access := ldap.NewControlMicrosoftSDFlags()
	access.Criticality, access.ControlValue = true, 4 // DACL_SECURITY_INFORMATION
	return ldap.SearchRequest{BaseDN: base, Scope: scope, Filter: filter, SizeLimit: limit, Controls: []ldap.Control{access},
		Attributes: append([]string{"objectClass", "objectGUID", "objectSid", attrName, attrControl, attrComputed, attrLastSet, attrExpires, attrAdmin,
			attrPrimary, attrCritical, attrPolicy, attrMeta, attrMetaText, attrLocalMark, attrAccess, attrServices}, more...)}
}

// accountOf takes what a search showed.
func accountOf(e *ldap.Entry) account {
	number := func(attribute string) int {
		n, _ := strconv.Atoi(e.GetEqualFoldAttributeValue(attribute)) // what is not there is 0
		return n
	}
	a := account{
		dn: e.DN, guid: guidText(e.GetEqualFoldRawAttributeValue("objectGUID")), name: e.GetEqualFoldAttributeValue(attrName),
		sid: sid(e.GetEqualFoldRawAttributeValue("objectSid")), classes: e.GetEqualFoldAttributeValues("objectClass"),
		control: number(attrControl), lastSet: e.GetEqualFoldAttributeValue(attrLastSet), expires: fileTime(e.GetEqualFoldAttributeValue(attrExpires)),
		admin: number(attrAdmin) > 0, critical: e.GetEqualFoldAttributeValue(attrCritical) == "TRUE", primary: e.GetEqualFoldAttributeValue(attrPrimary),
		policy: e.GetEqualFoldAttributeValue(attrPolicy), writable: e.GetEqualFoldAttributeValues(attrWritable),
	}
	a.serves = len(e.GetEqualFoldAttributeValues(attrServices)) > 0
	a.readable = e.GetEqualFoldAttributeValue(attrControl) != "" && a.lastSet != ""
	a.computed = number(attrComputed)
	if a.lastSet == "0" && e.GetEqualFoldAttributeValue(attrComputed) == "" && a.void() == "" {
		a.computed |= uacExpired // what the domain controller would work out, where it hides it
	}
	for _, raw := range e.GetEqualFoldRawAttributeValues(attrToken) {
		a.token = append(a.token, sid(raw))
	}
	a.access, a.accessShown = accessList(e.GetEqualFoldRawAttributeValue(attrAccess))
	a.evidence = a.evidenceFrom(stamps(e), e.GetEqualFoldAttributeValue(attrLocalMark))
	return a
}

// evidenceFrom reads when the password was set. The mark holds the stamps of the password and of pwdLastSet, in this order, so it
// changes with each reset and with nothing else; failed log-ins do not move it. Where the stamps are hidden, it is the number of the
// entry's last change and pwdLastSet, and there is no time: pwdLastSet would be one only until a reset makes it 0.
func (a account) evidenceFrom(all map[string]stamp, local string) schemas.Evidence {
	e := schemas.Evidence{MustChange: a.mustChange()}
	password, shown := all[attrPassword]
	switch {
	case len(all) == 0:
		e.Marker = markHidden + local + " " + a.lastSet
	case shown:
		e.Marker, e.PasswordChangedAt = password.String()+" "+all[attrLastSet].String(), password.at
	default: // stamps, but none of a password: it was never set
		e.Marker = "none " + all[attrLastSet].String()
	}
	return e
}

// markHidden begins a mark that cannot tell what was changed.
const markHidden = "entry "

// mustChange tells whether the domain controller lets the account do nothing but change its password. That somebody wants it so
// (pwdLastSet is 0) is worth nothing under DONT_EXPIRE_PASSWORD; the computed flag says what will happen, but also of passwords
// that are simply old.
func (a account) mustChange() bool { return a.lastSet == "0" && a.computed&uacExpired != 0 }

// void says why a demand would be stored and ignored, and nothing if it would be obeyed.
func (a account) void() string {
	switch {
	case a.control&uacNoExpiry != 0:
		return `"Password never expires" is set on ` + a.dn + " (DONT_EXPIRE_PASSWORD), and the domain then ignores the demand for a change; clear it in the account's options"
	case a.control&uacSmartCard != 0:
		return `"Smart card is required" is set on ` + a.dn + " (SMARTCARD_REQUIRED), and no password is asked for"
	}
	return ""
}

// has tells whether the entry is of an object class. Directories compare without case.
func (a account) has(class string) bool {
	return slices.ContainsFunc(a.classes, func(c string) bool { return strings.EqualFold(c, class) })
}
