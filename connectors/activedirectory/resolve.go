package activedirectory

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// isAccount finds everything that signs in: people, computers and managed service accounts. Those that must not be reset are
// refused for what they are, and not called unknown.
const isAccount = "(objectClass=user)"

// Resolve finds the one account below base_dn that matches: by userPrincipalName for a login, sAMAccountName for a user name or
// DOMAIN\name, mail and proxyAddresses for an e-mail address, login or address for what may be both, objectSid, objectGUID for an
// object id, or by the distinguished name.
func (d *directory) Resolve(ctx context.Context, a schemas.Account) (id schemas.Identity, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		base, scope, filter, f := d.target(ctx, s, a)
		if f != nil {
			return f
		}
		entries, err := s.Search(ctx, base, scope, "(&"+isAccount+filter+")", 2, "objectGUID")
		code, _ := ldapconn.Answer(err)
		switch {
		// A server that cuts the list short has more, whatever it shows.
		case code == ldap.LDAPResultSizeLimitExceeded || len(entries) > 1:
			return schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account below %s matches this %s; name the account by its SID or objectGUID (object_id)",
				d.config.BaseDN, a.Type)
		case code == ldap.LDAPResultNoSuchObject && scope == ldap.ScopeWholeSubtree:
			return schemas.Fail(schemas.CodePermissionMissing, "%s shows no %s to resetd's account; check base_dn, or grant Read there", s.Server.URL, d.config.BaseDN).Because(err)
		case code == ldap.LDAPResultNoSuchObject, err == nil && len(entries) == 0:
			return schemas.Fail(schemas.CodeAccountNotFound, "no account below %s matches this %s", d.config.BaseDN, a.Type)
		case err != nil:
			return s.Failure(ctx, "looking for the account", err)
		}
		guid := guidText(entries[0].GetEqualFoldRawAttributeValue("objectGUID"))
		if guid == "" {
			return schemas.Fail(schemas.CodePermissionMissing, "%s does not show the objectGUID of %s; grant resetd's account Read there", s.Server.URL, entries[0].DN)
		}
		id = schemas.Identity{ID: guid, Name: entries[0].DN}
		return nil
	})
	return id, err
}

// target says where to look and for what. Values are escaped (RFC 4515 §3), so that none of them can be read as a filter.
func (d *directory) target(ctx context.Context, s *session, a schemas.Account) (base string, scope int, filter string, f *schemas.Failure) {
	netbios, dns, _, f := d.learn(ctx, s)
	if f != nil {
		return "", 0, "", f
	}
	none := func(text string, args ...any) (string, int, string, *schemas.Failure) {
		return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound, text, args...)
	}
	if schemas.CheckText(a.Value, schemas.MaxAccountBytes, false) != nil {
		// Samba ends a value at a NUL, and so would find somebody else.
		return none("no account has a name with characters that cannot be seen")
	}
	base, scope = d.config.BaseDN, ldap.ScopeWholeSubtree
	switch a.Type {
	case schemas.AccountUserName:
		filter = equals("sAMAccountName", a.Value)
	case schemas.AccountLogin:
		filter = loginFilter(a.Value, dns)
	case schemas.AccountEmail:
		filter = mailFilter(a.Value)
	case schemas.AccountAddress:
		filter = "(|" + loginFilter(a.Value, dns) + mailFilter(a.Value) + ")"
	case schemas.AccountDownLevel:
		domain, name, _ := strings.Cut(a.Value, `\`)
		if !strings.EqualFold(domain, netbios) && !strings.EqualFold(domain, dns) {
			return none(`the domain in this name is not %s (%s), which the system %s is for; name the system that is for it`, netbios, dns, d.env.System)
		}
		filter = equals("sAMAccountName", name)
	case schemas.AccountSID:
		value, err := parseSID(a.Value)
		if err != nil {
			return none("this is no SID")
		}
		filter = "(objectSid=" + escapeBytes(string(value)) + ")"
	case schemas.AccountObjectID:
		value, ok := parseGUID(a.Value)
		if !ok {
			return none("this is no objectGUID, which is what an object id is in Active Directory")
		}
		filter = "(objectGUID=" + escapeBytes(string(value)) + ")"
	case schemas.AccountDN:
		dn, err := ldap.ParseDN(a.Value)
		if err != nil {
			return none("this is no distinguished name")
		}
		if !d.below(dn) {
			return none("this distinguished name does not lie below %s", d.config.BaseDN)
		}
		// What was compared is what is sent: written anew, not as it came.
		base, scope = written(dn), ldap.ScopeBaseObject
	default:
		return none("Active Directory has no identifier of the type %s; name the account by login (UPN), user name, DOMAIN\\name, e-mail address, SID, objectGUID (object_id) or dn", a.Type)
	}
	return base, scope, filter, nil
}

// below tells whether a name lies below base_dn, or is it.
func (d *directory) below(dn *ldap.DN) bool { return d.base.EqualFold(dn) || d.base.AncestorOfFold(dn) }

// equals gives the filter for one value.
func equals(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

// loginFilter finds who signs in by a user principal name. Everybody has one beside the one that is stored: the user name at the
// domain's DNS name ([MS-ADTS] 5.1.1.1.1). Where the two lead to two accounts, both are found, and nobody is guessed.
func loginFilter(value, dns string) string {
	stored := equals("userPrincipalName", value)
	name, domain, ok := cutLast(value, "@")
	if !ok || name == "" || !strings.EqualFold(domain, dns) {
		return stored
	}
	return "(|" + stored + equals("sAMAccountName", name) + ")"
}

// mailFilter finds who has an e-mail address, as the first one or as another.
func mailFilter(value string) string {
	return "(|" + equals("mail", value) + equals("proxyAddresses", "smtp:"+value) + ")"
}

// written gives a distinguished name with every character escaped that could mean something (RFC 4514 §2.4). go-ldap leaves
// "=" as it is, which is allowed, but which Samba does not take.
func written(dn *ldap.DN) string {
	var rdns []string
	for _, rdn := range dn.RDNs {
		var parts []string
		for _, one := range rdn.Attributes {
			parts = append(parts, one.Type+"="+escapeValue(one.Value))
		}
		rdns = append(rdns, strings.Join(parts, "+"))
	}
	return strings.Join(rdns, ",")
}

// escapeValue writes special characters, and a space at either end, as \xx.
func escapeValue(value string) string {
	var out strings.Builder
	for i := range len(value) {
		edge := i == 0 || i == len(value)-1
		if c := value[i]; strings.IndexByte(`,+"\<>;=#`, c) >= 0 || c == ' ' && edge {
			out.WriteString(escapeBytes(value[i : i+1]))
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// escapeBytes writes every byte as \xx: a binary value in a filter.
func escapeBytes(raw string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 3*len(raw))
	for _, b := range []byte(raw) {
		out = append(out, '\\', digits[b>>4], digits[b&15])
	}
	return string(out)
}
