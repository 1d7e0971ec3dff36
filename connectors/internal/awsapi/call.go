package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Call says what a call is for.
type Call struct {
	// Doing says it to a person: "reading the user".
	Doing string
	// Action is the right that the call takes, as policies name it, and Resource the ARN that it is taken on.
	Action, Resource string
	// Changes marks a call that may have changed something when its answer is lost.
	Changes bool
	// Secret is what the call carries and its answer may quote.
	Secret schemas.Secret
	// Explain gives the meaning of an error that AWS sent, or nil for the usual one.
	Explain func(Answer) *schemas.Failure
}

// Do makes one call. The failure says whether something may have been changed. Credentials that have run out, or that AWS
// takes no more, are replaced once if there are others: the refused call did nothing.
func Do[T any](ctx context.Context, s *Session, call Call, do func(context.Context) (T, error)) (T, *schemas.Failure) {
	var none T
	for renewed := false; ; renewed = true {
		creds, f := s.credentials(ctx)
		if f != nil {
			return none, f
		}
		var sent atomic.Bool
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
		out, err := do(traced)
		if err == nil {
			return out, nil
		}
		answer, answered := answerOf(err, call.Secret)
		if !answered {
			return none, s.lost(ctx, call, err, sent.Load())
		}
		if !renewed && answer.stale() && s.renew(ctx, creds) {
			continue
		}
		return none, s.judge(call, answer)
	}
}

// renew replaces credentials that were refused. It tells whether there are others.
func (s *Session) renew(ctx context.Context, refused aws.Credentials) bool {
	now, err := s.cache.Retrieve(ctx)
	if err == nil && now.AccessKeyID == refused.AccessKeyID && now.SessionToken == refused.SessionToken { // nobody was faster
		s.cache.Invalidate()
		now, err = s.cache.Retrieve(ctx)
	}
	return err == nil && (now.AccessKeyID != refused.AccessKeyID || now.SessionToken != refused.SessionToken)
}

// credentials gives what the next call is signed with.
func (s *Session) credentials(ctx context.Context) (aws.Credentials, *schemas.Failure) {
	got, err := s.cache.Retrieve(ctx)
	if err == nil {
		return got, nil
	}
	doing := "getting credentials"
	if s.Settings.RoleARN != "" {
		doing = "assuming the role " + s.Settings.RoleARN
	}
	answer, answered := answerOf(err, s.Settings.SecretAccessKey)
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return got, schemas.Fail(schemas.CodeTimedOut, "%s for the system %s: no answer in time; nothing was sent", doing, s.System).Because(context.DeadlineExceeded)
	case answered && answer.code() == schemas.CodePermissionMissing:
		return got, schemas.Fail(schemas.CodeBadCredentials, "%s for the system %s: AWS refuses it (%s); let the role's trust policy name resetd's credentials (and the external_id, if it asks for one), and grant them sts:AssumeRole on the role",
			doing, s.System, answer)
	case answered:
		return got, s.judge(Call{Doing: doing, Action: "sts:AssumeRole", Resource: s.Settings.RoleARN}, answer)
	case unreachable(err):
		return got, schemas.Fail(schemas.CodeUnavailable, "%s for the system %s: %s; nothing was sent to AWS", doing, s.System, network(err))
	}
	return got, schemas.Fail(schemas.CodeBadCredentials, "%s for the system %s: there are none that can be used; write access_key_id and secret_access_key in its settings, "+
		"or see that the environment of resetd offers a role or AWS_ACCESS_KEY_ID", doing, s.System)
}

// unreachable tells whether an error is one of the way.
func unreachable(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok
}

// lost explains a call that had no answer that can be read.
func (s *Session) lost(ctx context.Context, call Call, err error, sent bool) *schemas.Failure {
	code, why := schemas.CodeUnavailable, network(err)
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		code, why = schemas.CodeTimedOut, "no answer in time"
		if errors.Is(ctx.Err(), context.Canceled) {
			why = "given up before there was an answer"
		}
	}
	switch {
	case sent && call.Changes:
		return schemas.Fail(schemas.CodeTimedOut, "%s: %s; whether it was done is not known", s.at(call), why)
	case !sent:
		why += "; nothing was sent; check the network, the proxy, endpoint and tls_ca"
	}
	return schemas.Fail(code, "%s: %s", s.at(call), why)
}

// network gives the short text of an error on the way, without the URL and without what was sent.
func network(err error) string {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate is not vouched for (" + e.Err.Error() + ")"
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is not vouched for (" + e.Error() + ")"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("no connection%s (%s)", host(err), e.Err)
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "the server" + host(err) + " speaks plain http, and the address says https"
	}
	if strings.Contains(err.Error(), "EOF") {
		return "the connection was closed before the answer was whole"
	}
	return "the answer cannot be read; see whether the address is right and what stands between"
}

// host says where a call went, by host and port alone: the rest of an address may hold what was sent.
func host(err error) string {
	e, ok := errors.AsType[*url.Error](err)
	if !ok {
		return ""
	}
	u, bad := url.Parse(e.URL)
	if bad != nil || u.Hostname() == "" {
		return ""
	}
	return " on " + rest.HostPort(u)
}

// at says what was being done, and where.
func (s *Session) at(call Call) string {
	return fmt.Sprintf("%s at %s (%s)", call.Doing, s.Product, s.System)
}
