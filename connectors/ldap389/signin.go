package ldap389

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// session is one connection that is signed in.
type session = ldapconn.Session[root]

// root is what the server says of itself (RFC 4512 §5.1).
type root struct {
	product string
	rights  bool // it knows the control Get Effective Rights
}

// greet reads the server's root entry.
func greet(ctx context.Context, s *session) (root, *schemas.Failure) {
	entries, err := s.Search(ctx, "", ldap.ScopeBaseObject, "(objectClass=*)", 1, "supportedControl", "vendorName", "vendorVersion")
	if err != nil {
		return root{}, s.Failure(ctx, "reading the root entry", err)
	}
	if len(entries) == 0 {
		return root{}, schemas.Fail(schemas.CodePermissionMissing, "%s does not show its root entry to resetd's account; "+
			"see nsslapd-allow-anonymous-access, and restore the access rule of the root entry", s.Server.URL)
	}
	e := entries[0]
	r := root{product: strings.TrimSpace(e.GetEqualFoldAttributeValue("vendorName") + " " + e.GetEqualFoldAttributeValue("vendorVersion"))}
	if r.product == "" {
		r.product = "389 Directory Server"
	}
	for _, oid := range e.GetEqualFoldAttributeValues("supportedControl") {
		r.rights = r.rights || oid == oidEffectiveRights
	}
	return r, nil
}

// signIn binds as resetd.
func (d *directory) signIn(ctx context.Context, s *session) *schemas.Failure {
	why, err := bind(ctx, s, d.config.BindDN, d.config.Password)
	// 53 is the answer to an account that was made inactive, 19 to one that is locked after failed log-ins.
	refused := ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation)
	switch {
	case err == nil && why < 0:
		return nil
	case err == nil:
		return schemas.Fail(schemas.CodeBadCredentials, "%s says about resetd's own account %s: %s; give it a new password that does not have to be changed",
			s.Server.URL, d.config.BindDN, ldap.BeheraPasswordPolicyErrorMap[why])
	case refused:
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses bind_dn and password of %s (%s); correct them in the configuration of the system %s",
			s.Server.URL, d.config.BindDN, ldapconn.Reason(err), d.env.System).Because(err)
	}
	return s.Failure(ctx, "signing in", err)
}

const (
	noPolicyError    = -1 // what bind gives when the server has no objection
	changeAfterReset = 2  // the server lets somebody in for nothing but a change of password (draft-behera-ldap-password-policy §6.2)
)

// bind signs in with the password policy control, by which the server tells that the password has to be changed before
// anything else is allowed. (Its own control for that, 2.16.840.1.113730.3.4.4, comes without being asked for and says the same.)
func bind(ctx context.Context, s *session, dn string, password schemas.Secret) (policyError int8, err error) {
	policyError = noPolicyError
	err = s.Within(ctx, func(c *ldap.Conn) error {
		got, err := c.SimpleBind(ldap.NewSimpleBindRequest(dn, password.Reveal(), []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}))
		if got != nil {
			if c, ok := ldap.FindControl(got.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy); ok {
				policyError = c.Error
			}
		}
		return ldapconn.Hushed(err, password)
	})
	return policyError, err
}
