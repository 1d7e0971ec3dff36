package openldap

import (
	"context"
	"errors"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// answer gives the result code of an error that the server sent. Codes from 200 on are go-ldap's own.
func answer(err error) (code uint16, ok bool) {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.ResultCode >= ldap.ErrorNetwork {
		return 0, false
	}
	return e.ResultCode, true
}

// hushed gives an answer without a secret that was part of the request, because servers quote what they were sent. The
// secret goes before anything is cut or cleaned, which could leave a part of it, and so does the packet that go-ldap keeps.
func hushed(err error, secret string) error {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		return err
	}
	text := ""
	if e.Err != nil {
		text = connectors.Redact(e.Err.Error(), schemas.NewSecret(secret))
	}
	return &ldap.Error{Err: errors.New(text), ResultCode: e.ResultCode}
}

// meaning is what a result code says, and what to do about it.
type meaning struct {
	code   schemas.Code
	advice string
}

// meanings are the result codes that mean the same wherever they come. Others are unexpected.
var meanings = map[uint16]meaning{
	ldap.LDAPResultTimeLimitExceeded:        {schemas.CodeTimedOut, "index the attributes of the filter in slapd, or raise olcLimits for resetd's account"},
	ldap.LDAPResultStrongAuthRequired:       {schemas.CodePermissionMissing, "the server wants an encrypted connection; use ldaps:// or start_tls"},
	ldap.LDAPResultConfidentialityRequired:  {schemas.CodePermissionMissing, "the server wants an encrypted connection; use ldaps:// or start_tls"},
	ldap.LDAPResultReferral:                 {schemas.CodeUnsupported, "the server refers to another one, as copies that take no changes do; name that one in url"},
	ldap.LDAPResultAdminLimitExceeded:       {schemas.CodePermissionMissing, "raise olcLimits for resetd's account"},
	ldap.LDAPResultNoSuchObject:             {schemas.CodeAccountNotFound, "the account is gone, or resetd's account may not see it"},
	ldap.LDAPResultInvalidCredentials:       {schemas.CodeBadCredentials, "correct bind_dn and password"},
	ldap.LDAPResultInsufficientAccessRights: {schemas.CodePermissionMissing, "grant resetd's account the right"},
	ldap.LDAPResultBusy:                     {schemas.CodeUnavailable, "the server is busy"},
	ldap.LDAPResultUnavailable:              {schemas.CodeUnavailable, "the server is going down or starting"},
	ldap.LDAPResultUnwillingToPerform:       {schemas.CodeUnavailable, "see whether the database is read-only or under maintenance"},
	ldap.LDAPResultServerDown:               {schemas.CodeUnavailable, "the server is down"},
	ldap.LDAPResultConnectError:             {schemas.CodeUnavailable, "the server is down"},
}

// failure makes a Failure of an exchange that changes nothing.
func (s *session) failure(ctx context.Context, doing string, err error) *schemas.Failure {
	code, answered := answer(err)
	if !answered {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return schemas.Fail(schemas.CodeTimedOut, "%s at %s: %s", doing, s.server.url, reason(err)).Because(err)
		}
		return schemas.Fail(schemas.CodeUnavailable, "%s at %s: the connection broke (%s)", doing, s.server.url, reason(err)).Because(err)
	}
	m, known := meanings[code]
	if !known {
		return schemas.Fail(schemas.CodeUnexpected, "%s at %s: %s", doing, s.server.url, reason(err)).Because(err)
	}
	return schemas.Fail(m.code, "%s at %s: %s; %s", doing, s.server.url, reason(err), m.advice).Because(err)
}

// lost makes a Failure of a change that had no answer: it may have been made. An answer goes to failure.
func (s *session) lost(ctx context.Context, doing string, err error) *schemas.Failure {
	f := s.failure(ctx, doing, err)
	if _, answered := answer(err); !answered {
		f.Code = schemas.CodeTimedOut
		f.Detail += "; whether it was done is not known"
	}
	return f
}
