package openldap

import (
	"context"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// session is one connection that is signed in.
type session = ldapconn.Session[root]

// signIn binds as resetd.
func (d *directory) signIn(ctx context.Context, s *session) *schemas.Failure {
	why, err := bind(ctx, s, d.config.BindDN, d.config.Password)
	// slapd answers 49 for an unknown name and for a wrong password alike; others tell 32 or 48 apart.
	refused := ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject)
	switch {
	case err == nil && why < 0:
		return nil
	case err == nil:
		return schemas.Fail(schemas.CodeBadCredentials, "%s says about resetd's own account %s: %s; give it a new password that does not have to be changed",
			s.Server.URL, d.config.BindDN, ldap.BeheraPasswordPolicyErrorMap[why])
	case refused && why >= 0:
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses resetd's own account %s: %s",
			s.Server.URL, d.config.BindDN, ldap.BeheraPasswordPolicyErrorMap[why]).Because(err)
	case refused:
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses bind_dn and password of %s (%s); correct them in the configuration of the system %s",
			s.Server.URL, d.config.BindDN, ldapconn.Reason(err), d.env.System).Because(err)
	}
	return s.Failure(ctx, "signing in", err)
}

// noPolicyError is what bind gives when the server has no objection.
const noPolicyError = -1

// bind signs in with the password policy control, by which the server tells what it hides otherwise: why it refuses, or
// that the password has to be changed before anything else is allowed.
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
