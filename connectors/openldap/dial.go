package openldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// dialer makes connections that are signed in, to the first server that takes them.
type dialer struct {
	servers  []server
	tls      *tls.Config
	bindDN   string
	password schemas.Secret
	timeout  time.Duration // of one exchange
	system   string

	// begin is the server to try first: the one after the last that failed, so that a dead one is not waited for each time.
	begin atomic.Int32
}

// connect gives a session at the first server that lets us in. The servers are copies of one directory, so one that
// refuses our password speaks for all; every other refusal leads to the next.
func (d *dialer) connect(ctx context.Context) (*session, error) {
	first := int(d.begin.Load())
	var told []string
	var last *schemas.Failure
	for i := range d.servers {
		at := (first + i) % len(d.servers)
		s, err := d.connectTo(ctx, d.servers[at])
		if err == nil {
			return s, nil
		}
		last = err
		told = append(told, err.Detail)
		d.begin.Store(int32((at + 1) % len(d.servers)))
		if err.Code == schemas.CodeBadCredentials || ctx.Err() != nil {
			break
		}
	}
	last.Detail = strings.Join(slices.Compact(told), "; ")
	return nil, last
}

// connectTo gives a session that is signed in at one server.
func (d *dialer) connectTo(ctx context.Context, to server) (*session, *schemas.Failure) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	s, f := d.protected(ctx, to)
	if f != nil {
		return nil, f
	}
	if f = s.signIn(ctx); f == nil {
		s.root, f = s.readRoot(ctx)
	}
	if f != nil {
		s.close()
		return nil, f
	}
	return s, nil
}

// protected gives a connection that is encrypted as far as the configuration wants, with nobody signed in.
func (d *dialer) protected(ctx context.Context, to server) (*session, *schemas.Failure) {
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, schemas.Fail(schemas.CodeUnavailable, "cannot connect to %s: %s; check the address and the network", to.url, reason(err)).Because(err)
	}
	s := &session{wire: &wire{Conn: tcp}, server: to, dialer: d}
	s.wire.left.Store(maxAnswer)
	// The name in the address is what the certificate must hold. It is never looked up in reverse.
	config := d.tls.Clone()
	config.ServerName = to.name
	var over net.Conn = s.wire
	if to.ldaps {
		secure := tls.Client(s.wire, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			s.close()
			return nil, s.unprotected(err)
		}
		over = secure
	}
	s.conn = ldap.NewConn(over, to.ldaps)
	s.conn.Start()
	if to.startTLS {
		if err := s.within(ctx, func() error { return s.conn.StartTLS(config) }); err != nil {
			s.close()
			return nil, s.unprotected(err)
		}
	}
	return s, nil
}

// unprotected explains a connection that could not be encrypted.
func (s *session) unprotected(err error) *schemas.Failure {
	advice := "check tls_ca and the server's certificate"
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultProtocolError, ldap.LDAPResultUnavailable, ldap.LDAPResultUnwillingToPerform) {
		advice = "the server offers no StartTLS; give it a certificate or use ldaps://"
	}
	return schemas.Fail(schemas.CodeUnavailable, "no encrypted connection to %s: %s; %s", s.server.url, reason(err), advice).Because(err)
}

// signIn binds as resetd.
func (s *session) signIn(ctx context.Context) *schemas.Failure {
	why, err := s.bind(ctx, s.dialer.bindDN, s.dialer.password.Reveal())
	// slapd answers 49 for an unknown name and for a wrong password alike; others tell 32 or 48 apart.
	refused := ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject)
	switch {
	case err == nil && why < 0:
		return nil
	case err == nil:
		return schemas.Fail(schemas.CodeBadCredentials, "%s says about resetd's own account %s: %s; give it a new password that does not have to be changed",
			s.server.url, s.dialer.bindDN, ldap.BeheraPasswordPolicyErrorMap[why])
	case refused && why >= 0:
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses resetd's own account %s: %s",
			s.server.url, s.dialer.bindDN, ldap.BeheraPasswordPolicyErrorMap[why]).Because(err)
	case refused:
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses bind_dn and password of %s (%s); correct them in the configuration of the system %s",
			s.server.url, s.dialer.bindDN, reason(err), s.dialer.system).Because(err)
	}
	return s.failure(ctx, "signing in", err)
}

// noPolicyError is what bind gives when the server has no objection.
const noPolicyError = -1

// bind signs in with the password policy control, by which the server tells what it hides otherwise: why it refuses, or
// that the password has to be changed before anything else is allowed.
func (s *session) bind(ctx context.Context, dn, password string) (policyError int8, err error) {
	policyError = noPolicyError
	err = s.within(ctx, func() error {
		got, err := s.conn.SimpleBind(ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}))
		if got != nil {
			if c, ok := ldap.FindControl(got.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy); ok {
				policyError = c.Error
			}
		}
		return hushed(err, password)
	})
	return policyError, err
}

// reason gives the short text of an error: what the server said, or what the network did, without go-ldap's frame.
func reason(err error) string {
	// Why we hung up says more than what that looked like on the connection.
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "given up before there was an answer"
	}
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		return printable(err.Error())
	}
	text := printable(e.Err.Error())
	if e.ResultCode >= ldap.ErrorNetwork {
		return text
	}
	out := fmt.Sprintf("LDAP code %d", e.ResultCode)
	if name := ldap.LDAPResultCodeMap[e.ResultCode]; name != "" {
		out += ", " + name
	}
	if text != "" {
		out += ": " + text
	}
	return out
}

// printable makes text of another machine fit for a line of a log: no control characters, at most 200 characters.
func printable(text string) string {
	out := make([]rune, 0, 200)
	for _, r := range text {
		if len(out) == 200 {
			return string(out) + "…"
		}
		if schemas.CheckText(string(r), 4, false) != nil {
			r = ' '
		}
		out = append(out, r)
	}
	return strings.TrimSpace(string(out))
}
