package openldap

import (
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// meanings are the result codes that mean the same wherever they come. Others are unexpected.
var meanings = map[uint16]ldapconn.Meaning{
	ldap.LDAPResultTimeLimitExceeded:        {Code: schemas.CodeTimedOut, Advice: "index the attributes of the filter in slapd, or raise olcLimits for resetd's account"},
	ldap.LDAPResultStrongAuthRequired:       {Code: schemas.CodePermissionMissing, Advice: "the server wants an encrypted connection; use ldaps:// or start_tls"},
	ldap.LDAPResultConfidentialityRequired:  {Code: schemas.CodePermissionMissing, Advice: "the server wants an encrypted connection; use ldaps:// or start_tls"},
	ldap.LDAPResultReferral:                 {Code: schemas.CodeUnsupported, Advice: "the server refers to another one, as copies that take no changes do; name that one in url"},
	ldap.LDAPResultAdminLimitExceeded:       {Code: schemas.CodePermissionMissing, Advice: "raise olcLimits for resetd's account"},
	ldap.LDAPResultNoSuchObject:             {Code: schemas.CodeAccountNotFound, Advice: "the account is gone, or resetd's account may not see it"},
	ldap.LDAPResultInvalidCredentials:       {Code: schemas.CodeBadCredentials, Advice: "correct bind_dn and password"},
	ldap.LDAPResultInsufficientAccessRights: {Code: schemas.CodePermissionMissing, Advice: "grant resetd's account the right"},
	ldap.LDAPResultBusy:                     {Code: schemas.CodeUnavailable, Advice: "the server is busy"},
	ldap.LDAPResultUnavailable:              {Code: schemas.CodeUnavailable, Advice: "the server is going down or starting"},
	ldap.LDAPResultUnwillingToPerform:       {Code: schemas.CodeUnavailable, Advice: "see whether the database is read-only or under maintenance"},
	ldap.LDAPResultServerDown:               {Code: schemas.CodeUnavailable, Advice: "the server is down"},
	ldap.LDAPResultConnectError:             {Code: schemas.CodeUnavailable, Advice: "the server is down"},
}
