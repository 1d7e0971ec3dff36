package ldap389

import (
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// meanings are the result codes that mean the same wherever they come. Others are unexpected.
var meanings = map[uint16]ldapconn.Meaning{
	ldap.LDAPResultTimeLimitExceeded:        {Code: schemas.CodeTimedOut, Advice: "index the attributes of the filter, or raise nsTimeLimit on resetd's account"},
	ldap.LDAPResultStrongAuthRequired:       {Code: schemas.CodePermissionMissing, Advice: "the server wants an encrypted connection; use ldaps://"},
	ldap.LDAPResultConfidentialityRequired:  {Code: schemas.CodePermissionMissing, Advice: "the server wants an encrypted connection; use ldaps://"},
	ldap.LDAPResultReferral:                 {Code: schemas.CodeUnsupported, Advice: "the server refers to another one, as consumers that take no changes do; name a supplier in url"},
	ldap.LDAPResultAdminLimitExceeded:       {Code: schemas.CodePermissionMissing, Advice: "index the attributes of the filter, or raise nsLookThroughLimit on resetd's account"},
	ldap.LDAPResultNoSuchObject:             {Code: schemas.CodeAccountNotFound, Advice: "the account is gone, or resetd's account may not see it"},
	ldap.LDAPResultInvalidCredentials:       {Code: schemas.CodeBadCredentials, Advice: "correct bind_dn and password"},
	ldap.LDAPResultInsufficientAccessRights: {Code: schemas.CodePermissionMissing, Advice: "grant resetd's account the right"},
	ldap.LDAPResultBusy:                     {Code: schemas.CodeUnavailable, Advice: "the server is busy"},
	ldap.LDAPResultUnavailable:              {Code: schemas.CodeUnavailable, Advice: "the server is going down or starting"},
	ldap.LDAPResultUnwillingToPerform:       {Code: schemas.CodeUnavailable, Advice: "see whether the server or its database is read-only (nsslapd-readonly), or resetd's own password must be changed"},
	ldap.LDAPResultServerDown:               {Code: schemas.CodeUnavailable, Advice: "the server is down"},
	ldap.LDAPResultConnectError:             {Code: schemas.CodeUnavailable, Advice: "the server is down"},
}
