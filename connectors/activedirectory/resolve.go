package activedirectory

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/alike"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// isAccount finds everything that signs in: people, computers and managed service accounts. Those that must not be reset are
// refused for what they are, and not called unknown.
const isAccount = "(objectClass=user)"

// mostMatches is how many entries a look-up reads: a domain controller also finds those whose names are not quite the one
// that was asked for.
const mostMatches = 10

// wanted is where to look, and for what.
type wanted struct {
	base   string
	scope  int
	filter string
	// same tells whether an entry bears the very name. Windows compares without regard to case, accents, width and
	// the kind of kana (the flags DS_DEFAULT_LOCALE_COMPARE_FLAGS stands for), so that it finds josé for jose.
	same func(*ldap.Entry) bool
	// shared marks names that several accounts of the domain may bear.
	shared bool
}

// namedBy are the attributes that names stand in.
var namedBy = []string{"objectGUID", attrName, "userPrincipalName", "mail", "proxyAddresses"}

// Resolve finds the one account below base_dn that matches: by userPrincipalName for a login, sAMAccountName for a user name or
// DOMAIN\name, mail and proxyAddresses for an e-mail address, login or address for what may be both, objectSid, objectGUID for an
// object id, or by the distinguished name. An account outside of base_dn is never the one, but makes a name ambiguous that it
// shares: nobody can tell which of the two was meant.
func (d *directory) Resolve(ctx context.Context, a schemas.Account) (id schemas.Identity, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		w, f := d.target(ctx, s, a)
		if f != nil {
			return f
		}
		found, err := lookUp(ctx, s, w)
		if err == nil && len(found) == 1 && w.shared && !strings.EqualFold(w.base, s.Root.domain) {
			w.base = s.Root.domain
			var all []*ldap.Entry
			if all, err = lookUp(ctx, s, w); len(all) > 1 {
				found = all
			}
		}
		code, _ := ldapconn.Answer(err)
		switch {
		// A server that cuts the list short has more, whatever it shows.
		case code == ldap.LDAPResultSizeLimitExceeded || len(found) > 1:
			return schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account of the domain matches this %s, below %s or elsewhere; name the account by its SID or objectGUID (object_id)",
				a.Type, d.config.BaseDN)
		case code == ldap.LDAPResultNoSuchObject && w.scope == ldap.ScopeWholeSubtree:
			return schemas.Fail(schemas.CodePermissionMissing, "%s shows no %s to resetd's account; check base_dn, or grant Read there", s.Server.URL, w.base).Because(err)
		case code == ldap.LDAPResultNoSuchObject, err == nil && len(found) == 0:
			return schemas.Fail(schemas.CodeAccountNotFound, "no account below %s matches this %s", d.config.BaseDN, a.Type)
		case err != nil:
			return s.Failure(ctx, "looking for the account", err)
		}
		guid := guidText(found[0].GetEqualFoldRawAttributeValue("objectGUID"))
		if guid == "" {
			return schemas.Fail(schemas.CodePermissionMissing, "%s does not show the objectGUID of %s; grant resetd's account Read there", s.Server.URL, found[0].DN)
		}
		id = schemas.Identity{ID: guid, Name: found[0].DN}
		return nil
	})
	return id, err
}

// lookUp gives the entries that bear the name.
func lookUp(ctx context.Context, s *session, w wanted) ([]*ldap.Entry, error) {
	entries, err := s.Search(ctx, w.base, w.scope, "(&"+isAccount+w.filter+")", mostMatches, namedBy...)
	return slices.DeleteFunc(entries, func(e *ldap.Entry) bool { return !w.same(e) }), err
}

// bears gives the test for a name in one of the attributes.
func bears(value string, attributes ...string) func(*ldap.Entry) bool {
	return func(e *ldap.Entry) bool {
		return slices.ContainsFunc(attributes, func(attribute string) bool {
			return slices.ContainsFunc(e.GetEqualFoldAttributeValues(attribute), func(has string) bool { return alike.Names(has, value) })
		})
	}
}

// mailedTo gives the test for an e-mail address, as the first one or as another.
func mailedTo(address string) func(*ldap.Entry) bool {
	return either(bears(address, "mail"), bears("smtp:"+address, "proxyAddresses"))
}

// either tells whether one of two tests is passed.
func either(one, other func(*ldap.Entry) bool) func(*ldap.Entry) bool {
	return func(e *ldap.Entry) bool { return one(e) || other(e) }
}

// target says where to look and for what. Values are escaped (RFC 4515 §3), so that none of them can be read as a filter.
func (d *directory) target(ctx context.Context, s *session, a schemas.Account) (wanted, *schemas.Failure) {
	netbios, dns, _, f := d.learn(ctx, s)
	if f != nil {
		return wanted{}, f
	}
	none := func(text string, args ...any) (wanted, *schemas.Failure) {
		return wanted{}, schemas.Fail(schemas.CodeAccountNotFound, text, args...)
	}
	if schemas.CheckText(a.Value, schemas.MaxAccountBytes, false) != nil {
		// Samba ends a value at a NUL, and so would find somebody else.
		return none("no account has a name with characters that cannot be seen")
	}
	w := wanted{base: d.config.BaseDN, scope: ldap.ScopeWholeSubtree, same: func(*ldap.Entry) bool { return true }}
	switch a.Type {
	case schemas.AccountUserName:
		w.filter, w.same = equals(attrName, a.Value), bears(a.Value, attrName)
	case schemas.AccountLogin:
		w.filter, w.same = loginFilter(a.Value, dns)
		w.shared = true
	case schemas.AccountEmail:
		w.filter, w.same, w.shared = mailFilter(a.Value), mailedTo(a.Value), true
	case schemas.AccountAddress:
		filter, login := loginFilter(a.Value, dns)
		w.filter, w.same, w.shared = "(|"+filter+mailFilter(a.Value)+")", either(login, mailedTo(a.Value)), true
	case schemas.AccountDownLevel:
		domain, name, _ := strings.Cut(a.Value, `\`)
		if !strings.EqualFold(domain, netbios) && !strings.EqualFold(domain, dns) {
			return none(`the domain in this name is not %s (%s), which the system %s is for; name the system that is for it`, netbios, dns, d.env.System)
		}
		w.filter, w.same = equals(attrName, name), bears(name, attrName)
	case schemas.AccountSID:
		value, err := parseSID(a.Value)
		if err != nil {
			return none("this is no SID")
		}
		w.filter = "(objectSid=" + escapeBytes(string(value)) + ")"
	case schemas.AccountObjectID:
		value, ok := parseGUID(a.Value)
		if !ok {
			return none("this is no objectGUID, which is what an object id is in Active Directory")
		}
		w.filter = "(objectGUID=" + escapeBytes(string(value)) + ")"
	case schemas.AccountDN:
		dn, err := ldap.ParseDN(a.Value)
		if err != nil {
			return none("this is no distinguished name")
		}
		if !d.below(dn) {
			return none("this distinguished name does not lie below %s", d.config.BaseDN)
		}
		// What was compared is what is sent: written anew, not as it came.
		w.base, w.scope, w.same = written(dn), ldap.ScopeBaseObject, func(e *ldap.Entry) bool {
			has, err := ldap.ParseDN(e.DN)
			return err == nil && alike.Names(written(has), written(dn))
		}
	default:
		return none("Active Directory has no identifier of the type %s; name the account by login (UPN), user name, DOMAIN\\name, e-mail address, SID, objectGUID (object_id) or dn", a.Type)
	}
	return w, nil
}

// below tells whether a name lies below base_dn, or is it.
func (d *directory) below(dn *ldap.DN) bool { return d.base.EqualFold(dn) || d.base.AncestorOfFold(dn) }

// equals gives the filter for one value.
func equals(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

// loginFilter finds who signs in by a user principal name. Everybody has one beside the one that is stored: the user name at the
// domain's DNS name ([MS-ADTS] 5.1.1.1.1). Same tells whether an entry bears one of the two. Where the two lead to two accounts, both are found, and nobody is guessed.
func loginFilter(value, dns string) (filter string, same func(*ldap.Entry) bool) {
	filter, same = equals("userPrincipalName", value), bears(value, "userPrincipalName")
	name, domain, ok := cutLast(value, "@")
	if !ok || name == "" || !strings.EqualFold(domain, dns) {
		return filter, same
	}
	return "(|" + filter + equals(attrName, name) + ")", either(same, bears(name, attrName))
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
