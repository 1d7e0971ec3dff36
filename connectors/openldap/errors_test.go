package openldap_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestEachResultCodeHasItsMeaning(t *testing.T) {
	s := testserver.Slapd(t)
	id := identityOf(t, s, s.Person(testserver.JDoe).DN)
	for code, want := range map[uint16]schemas.Code{
		ldap.LDAPResultConstraintViolation:      schemas.CodePasswordRejected,
		ldap.LDAPResultInsufficientAccessRights: schemas.CodePermissionMissing,
		ldap.LDAPResultStrongAuthRequired:       schemas.CodePermissionMissing,
		ldap.LDAPResultConfidentialityRequired:  schemas.CodePermissionMissing,
		ldap.LDAPResultAdminLimitExceeded:       schemas.CodePermissionMissing,
		ldap.LDAPResultNoSuchObject:             schemas.CodeAccountNotFound,
		ldap.LDAPResultReferral:                 schemas.CodeUnsupported,
		ldap.LDAPResultBusy:                     schemas.CodeUnavailable,
		ldap.LDAPResultUnavailable:              schemas.CodeUnavailable,
		ldap.LDAPResultUnwillingToPerform:       schemas.CodeUnavailable,
		ldap.LDAPResultServerDown:               schemas.CodeUnavailable,
		ldap.LDAPResultConnectError:             schemas.CodeUnavailable,
		ldap.LDAPResultTimeLimitExceeded:        schemas.CodeTimedOut,
		ldap.LDAPResultAssertionFailed:          schemas.CodeUnavailable,
		ldap.LDAPResultInvalidCredentials:       schemas.CodeBadCredentials,
		ldap.LDAPResultOperationsError:          schemas.CodeUnexpected,
		ldap.LDAPResultObjectClassViolation:     schemas.CodeUnexpected,
		ldap.LDAPResultOther:                    schemas.CodeUnexpected,
		99:                                      schemas.CodeUnexpected,
	} {
		p := newProxy(t, s.URL)
		p.OnModify, p.Refuse = ldaptest.Answer, func(string) (uint16, string) { return code, "" }
		config := configOf(s)
		config.URL = p.URL
		c := open(t, config)
		_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
		if got := schemas.CodeOf(err); got != want {
			t.Errorf("LDAP code %d: %s (%v), want %s", code, got, err, want)
		}
		// A refusal is an answer: the connection goes on.
		if _, err := c.Classify(t.Context(), id); err != nil {
			t.Errorf("LDAP code %d: the call after it: %v", code, err)
		}
	}
}

func TestOwnAccountThatMustChangeItsPasswordIsBadCredentials(t *testing.T) {
	s := testserver.Slapd(t)
	change(t, s, s.ServiceDN, "pwdReset", "TRUE")
	_, err := open(t, configOf(s)).Probe(t.Context())
	wantCode(t, err, schemas.CodeBadCredentials)
	change(t, s, s.ServiceDN, "pwdReset")
	change(t, s, s.ServiceDN, "pwdAccountLockedTime", "000001010000Z")
	_, err = open(t, configOf(s)).Probe(t.Context())
	wantCode(t, err, schemas.CodeBadCredentials)
}

func TestBaseThatCannotBeSeenIsNotAnEmptyDirectory(t *testing.T) {
	s := testserver.Slapd(t)
	config := configOf(s)
	config.BaseDN = "ou=typo," + s.BaseDN
	_, err := open(t, config).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe})
	wantCode(t, err, schemas.CodePermissionMissing)
}
