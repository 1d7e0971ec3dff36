package ldap389

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one entry below base_dn that passes the user filter and matches: by uid_attribute for a user name or
// login, mail_attribute for an e-mail address, either of them for what may be both, nsUniqueId for an object id, or by the
// distinguished name.
func (d *directory) Resolve(ctx context.Context, a schemas.Account) (id schemas.Identity, err error) {
	base, scope, filter, f := d.target(a)
	if f != nil {
		return id, f
	}
	err = d.pool.With(ctx, func(s *session) error {
		entries, err := s.Search(ctx, base, scope, filter, 2, attrID, d.config.UIDAttribute)
		code, _ := ldapconn.Answer(err)
		switch {
		// A server that cuts the list short has more, whatever it shows.
		case code == ldap.LDAPResultSizeLimitExceeded || len(entries) > 1:
			return schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account below %s matches this %s; name the account by its dn or nsUniqueId",
				d.config.BaseDN, a.Type)
		// The server says "no such object" of what we may not know to exist. For the base that is a mistake, not an answer.
		case code == ldap.LDAPResultNoSuchObject && scope == ldap.ScopeWholeSubtree:
			return schemas.Fail(schemas.CodePermissionMissing, "%s shows no %s to resetd's account; check base_dn, or %s",
				s.Server.URL, d.config.BaseDN, d.grant(d.readable(), rightsRead)).Because(err)
		case code == ldap.LDAPResultNoSuchObject, err == nil && len(entries) == 0:
			return schemas.Fail(schemas.CodeAccountNotFound, "no account below %s matches this %s", d.config.BaseDN, a.Type)
		case err != nil:
			return s.Failure(ctx, "looking for the account", err)
		}
		found := accountOf(entries[0], d.config.UIDAttribute)
		if found.id == "" {
			return schemas.Fail(schemas.CodePermissionMissing, "%s does not show the nsUniqueId of %s; %s",
				s.Server.URL, found.dn, d.grantAt(found.dn, attrID, rightsRead))
		}
		id = schemas.Identity{ID: found.id, Name: found.dn}
		return nil
	})
	return id, err
}

// target says where to look and for what. Values are escaped (RFC 4515 §3), so that none of them can be read as a filter.
func (d *directory) target(a schemas.Account) (base string, scope int, filter string, f *schemas.Failure) {
	// The server takes a zero byte for the end of a value, so "jdoe" and more after one would find jdoe.
	if strings.Contains(a.Value, "\x00") {
		return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound, "no account has a zero byte in its name")
	}
	value := ldap.EscapeFilter(a.Value)
	uid := "(" + d.config.UIDAttribute + "=" + value + ")"
	mail := "(" + d.config.MailAttribute + "=" + value + ")"
	base, scope = d.config.BaseDN, ldap.ScopeWholeSubtree
	switch a.Type {
	case schemas.AccountUserName, schemas.AccountLogin:
		filter = uid
	case schemas.AccountEmail:
		filter = mail
	case schemas.AccountAddress:
		filter = "(|" + uid + mail + ")"
	case schemas.AccountObjectID:
		filter = "(" + attrID + "=" + value + ")"
	case schemas.AccountDN:
		dn, err := ldap.ParseDN(a.Value)
		if err != nil {
			return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound, "this is no distinguished name")
		}
		if !d.base.EqualFold(dn) && !d.base.AncestorOfFold(dn) {
			return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound, "this distinguished name does not lie below %s", d.config.BaseDN)
		}
		// What was compared is what is sent: written anew, not as it came.
		base, scope, filter = written(dn), ldap.ScopeBaseObject, ""
	default:
		return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound,
			"389 Directory Server has no identifier of the type %s; name the account by user name, e-mail address, dn or nsUniqueId (object_id)", a.Type)
	}
	return base, scope, "(&" + d.config.UserFilter + filter + ")", nil
}

// written writes a distinguished name with everything escaped by its code (RFC 4514 §2.4) but what needs no escape anywhere.
// The server does not find all names in which a character stands behind a backslash by itself, such as "\=".
func written(dn *ldap.DN) string {
	var b strings.Builder
	for i, rdn := range dn.RDNs {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, one := range rdn.Attributes {
			if j > 0 {
				b.WriteByte('+')
			}
			b.WriteString(one.Type + "=")
			for k := range len(one.Value) {
				c := one.Value[k]
				switch {
				case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._@'", c) >= 0,
					c == ' ' && k > 0 && k < len(one.Value)-1:
					b.WriteByte(c)
				default:
					_, _ = fmt.Fprintf(&b, `\%02x`, c)
				}
			}
		}
	}
	return b.String()
}
