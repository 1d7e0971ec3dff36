package activedirectory

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// meanings are the result codes that mean the same wherever they come. Others are unexpected.
var meanings = map[uint16]ldapconn.Meaning{
	ldap.LDAPResultTimeLimitExceeded:        {Code: schemas.CodeTimedOut, Advice: "narrow base_dn down, or see why the domain controller is slow"},
	ldap.LDAPResultStrongAuthRequired:       {Code: schemas.CodePermissionMissing, Advice: "the domain controller wants an encrypted connection; use ldaps://"},
	ldap.LDAPResultConfidentialityRequired:  {Code: schemas.CodePermissionMissing, Advice: "the domain controller wants an encrypted connection; use ldaps://"},
	ldap.LDAPResultReferral:                 {Code: schemas.CodeUnsupported, Advice: "this belongs to another domain, or the domain controller is read-only; configure a system of its own for the other domain, and writable domain controllers in url"},
	ldap.LDAPResultAdminLimitExceeded:       {Code: schemas.CodeUnavailable, Advice: "the domain controller's limits are used up"},
	ldap.LDAPResultNoSuchObject:             {Code: schemas.CodeAccountNotFound, Advice: "the account is gone, or resetd's account may not see it"},
	ldap.LDAPResultInvalidCredentials:       {Code: schemas.CodeBadCredentials, Advice: "correct bind_user and password"},
	ldap.LDAPResultInsufficientAccessRights: {Code: schemas.CodePermissionMissing, Advice: "grant resetd's account the right"},
	ldap.LDAPResultBusy:                     {Code: schemas.CodeUnavailable, Advice: "the domain controller is busy"},
	ldap.LDAPResultUnavailable:              {Code: schemas.CodeUnavailable, Advice: "the domain controller is going down or starting"},
	ldap.LDAPResultServerDown:               {Code: schemas.CodeUnavailable, Advice: "the domain controller is down"},
	ldap.LDAPResultConnectError:             {Code: schemas.CodeUnavailable, Advice: "the domain controller is down"},
}

// The Windows error codes that say more than the LDAP result code beside them ([MS-ERREF] 2.2). A domain controller begins its
// message with them. A rejected password comes with result code 53 from Windows and 19 from Samba.
const (
	winAccessDenied     = "00000005"
	winNotConfidential  = "0000001F" // ERROR_GEN_FAILURE: unicodePwd over a connection that is not encrypted enough
	winInvalid          = "00000057"
	winNotSignedIn      = "000004DC"
	winPasswordRejected = "0000052D"
)

var windowsMeanings = map[string]ldapconn.Meaning{
	winAccessDenied:     {Code: schemas.CodePermissionMissing, Advice: "grant resetd's account the right"},
	winNotConfidential:  {Code: schemas.CodePermissionMissing, Advice: "the domain controller takes passwords over a connection with 128-bit encryption only; use ldaps:// straight to it"},
	winNotSignedIn:      {Code: schemas.CodeUnavailable, Advice: "the domain controller has forgotten that resetd signed in"},
	winPasswordRejected: {Code: schemas.CodePasswordRejected, Advice: "compare the domain's password policy, the password settings object of the account and password filters with 32 random characters; Read on the settings object lets resetd follow the length that it asks for"},
}

var (
	windowsForm = regexp.MustCompile(`^\s*([0-9A-Fa-f]{8}):`)
	dataForm    = regexp.MustCompile(`, data ([0-9a-fA-F]+),`)
)

// windowsCode gives the Windows error code in an answer, in upper case, and nothing if there is none.
func windowsCode(err error) string {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.Err == nil || e.ResultCode >= ldap.ErrorNetwork {
		return ""
	}
	if m := windowsForm.FindStringSubmatch(e.Err.Error()); m != nil {
		return strings.ToUpper(m[1])
	}
	return ""
}

// pick chooses by the Windows error code.
func pick(err error) (ldapconn.Meaning, bool) {
	m, ok := windowsMeanings[windowsCode(err)]
	return m, ok
}

// refusals are the reasons for which a domain controller refuses a log-in, by the number after "data" in its message.
var refusals = map[string]string{
	"525": "there is no such account; correct bind_user",
	"52e": "the name or the password is wrong; correct bind_user and password",
	"530": "the account may not sign in at this time",
	"531": "the account may not sign in from here; see its allowed workstations",
	"532": "its password has expired; set a new one, and let it not expire",
	"533": "the account is disabled",
	"701": "the account has expired",
	"773": "its password must be changed first; set a new one without that demand",
	"775": "the account is locked",
}

// refusal gives the reason for which a log-in was refused, for a person.
func refusal(err error) string {
	if m := dataForm.FindStringSubmatch(err.Error()); m != nil {
		if text, ok := refusals[strings.ToLower(m[1])]; ok {
			return text
		}
	}
	return "correct bind_user and password (" + ldapconn.Reason(err) + ")"
}
