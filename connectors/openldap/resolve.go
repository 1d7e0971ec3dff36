package openldap

import (
	"context"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one entry below base_dn that passes the user filter and matches: by uid_attribute for a user name or
// login, mail_attribute for an e-mail address, either of them for what may be both, entryUUID for an object id, or by the
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
			return schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account below %s matches this %s; name the account by its dn or entryUUID",
				d.config.BaseDN, a.Type)
		// slapd says "no such object" of what we may not know to exist. For the base that is a mistake, not an answer.
		case code == ldap.LDAPResultNoSuchObject && scope == ldap.ScopeWholeSubtree:
			return schemas.Fail(schemas.CodePermissionMissing, "%s shows no %s to resetd's account; check base_dn, or %s",
				s.Server.URL, d.config.BaseDN, d.grant("entry,"+attrID, "read")).Because(err)
		case code == ldap.LDAPResultNoSuchObject, err == nil && len(entries) == 0:
			return schemas.Fail(schemas.CodeAccountNotFound, "no account below %s matches this %s", d.config.BaseDN, a.Type)
		case err != nil:
			return s.Failure(ctx, "looking for the account", err)
		}
		found := accountOf(entries[0], d.config.UIDAttribute)
		if found.id == "" {
			return schemas.Fail(schemas.CodePermissionMissing, "%s does not show the entryUUID of %s; %s",
				s.Server.URL, found.dn, d.grantAt(found.dn, attrID, "read"))
		}
		id = schemas.Identity{ID: found.id, Name: found.dn}
		return nil
	})
	return id, err
}

// target says where to look and for what. Values are escaped (RFC 4515 §3), so that none of them can be read as a filter.
func (d *directory) target(a schemas.Account) (base string, scope int, filter string, f *schemas.Failure) {
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
		base, scope, filter = dn.String(), ldap.ScopeBaseObject, ""
	default:
		return "", 0, "", schemas.Fail(schemas.CodeAccountNotFound,
			"OpenLDAP has no identifier of the type %s; name the account by user name, e-mail address, dn or entryUUID (object_id)", a.Type)
	}
	return base, scope, "(&" + d.config.UserFilter + filter + ")", nil
}
