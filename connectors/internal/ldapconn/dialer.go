package ldapconn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// Product is what a kind knows of the product it speaks to. R is what it reads of a server right after it has signed in.
type Product[R any] struct {
	// SignIn signs in on a connection that is protected.
	SignIn func(context.Context, *Session[R]) *schemas.Failure
	// Greet reads what the server is; the answer becomes Session.Root.
	Greet func(context.Context, *Session[R]) (R, *schemas.Failure)
	// Meanings is what its result codes mean. Codes that are missing are unexpected.
	Meanings map[uint16]Meaning
	// Pick, if set, chooses a meaning by the server's words, which some products put a finer code into.
	Pick func(error) (Meaning, bool)
}

// Dialer makes connections that are signed in, to the first server that takes them.
type Dialer[R any] struct {
	product Product[R]
	servers []Server
	tls     *tls.Config
	timeout time.Duration
	system  string

	// begin is the server to try first: the one after the last that failed, so that a dead one is not waited for each time.
	begin atomic.Int32
}

// NewDialer reads the CA file and connects to nothing. Its errors are *connectors.ConfigError, joined.
func NewDialer[R any](c Settings, product Product[R]) (*Dialer[R], error) {
	servers, mistakes := c.Servers()
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	protection, err := c.protection()
	if err != nil {
		return nil, err
	}
	return &Dialer[R]{product: product, servers: servers, tls: protection, timeout: c.Timeout, system: c.System}, nil
}

// connect gives a session at the first server that lets us in. The servers are copies of one directory, so one that
// refuses our password speaks for all; every other refusal leads to the next.
func (d *Dialer[R]) connect(ctx context.Context) (*Session[R], error) {
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
		// A caller who gave up, and a password that no server takes, say nothing against this one.
		if err.Code == schemas.CodeBadCredentials || errors.Is(ctx.Err(), context.Canceled) {
			break
		}
		d.leave(d.servers[at])
		if ctx.Err() != nil {
			break
		}
	}
	last.Detail = strings.Join(slices.Compact(told), "; ")
	return nil, last
}

// preferred is the server that is tried first. While it answers, all connections lead to it.
func (d *Dialer[R]) preferred() Server { return d.servers[d.begin.Load()] }

// leave makes the server after this one the preferred one, unless another is already: of many callers whom one server sends
// away, the first moves on, and the others follow.
func (d *Dialer[R]) leave(from Server) {
	for i, one := range d.servers {
		if one == from {
			d.begin.CompareAndSwap(int32(i), int32((i+1)%len(d.servers)))
			return
		}
	}
}

// connectTo gives a session that is signed in at one server.
func (d *Dialer[R]) connectTo(ctx context.Context, to Server) (*Session[R], *schemas.Failure) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	s, f := d.Protected(ctx, to)
	if f != nil {
		return nil, f
	}
	if f = d.product.SignIn(ctx, s); f == nil {
		s.Root, f = d.product.Greet(ctx, s)
	}
	if f != nil {
		s.Close()
		return nil, f
	}
	return s, nil
}

// Protected gives a connection that is encrypted as far as the configuration wants, with nobody signed in. The caller
// closes it.
func (d *Dialer[R]) Protected(ctx context.Context, to Server) (*Session[R], *schemas.Failure) {
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, schemas.Fail(schemas.CodeUnavailable, "cannot connect to %s: %s; check the address and the network", to.URL, Reason(err)).Because(err)
	}
	s := &Session[R]{wire: &wire{Conn: tcp}, Server: to, dialer: d}
	s.wire.left.Store(maxAnswer)
	// The name in the address is what the certificate must hold. It is never looked up in reverse.
	config := d.tls.Clone()
	config.ServerName = to.name
	var over net.Conn = s.wire
	if to.ldaps {
		secure := tls.Client(s.wire, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			s.Close()
			return nil, s.unprotected(err)
		}
		over = secure
	}
	s.conn = ldap.NewConn(over, to.ldaps)
	s.conn.Start()
	if to.startTLS {
		if err := s.Within(ctx, func(c *ldap.Conn) error { return c.StartTLS(config) }); err != nil {
			s.Close()
			return nil, s.unprotected(err)
		}
	}
	return s, nil
}

// unprotected explains a connection that could not be encrypted.
func (s *Session[R]) unprotected(err error) *schemas.Failure {
	advice := "check tls_ca and the server's certificate"
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultProtocolError, ldap.LDAPResultUnavailable, ldap.LDAPResultUnwillingToPerform) {
		advice = "the server offers no StartTLS; give it a certificate or use ldaps://"
	}
	// What broke was the wish for StartTLS, and not the handshake after it, which go-ldap's text alone tells.
	_, answered := Answer(err)
	ended := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if s.Server.startTLS && !answered && !ended && !strings.Contains(err.Error(), "TLS handshake") {
		advice = "the server did not answer StartTLS; if this port is for ldaps://, write that"
	}
	return schemas.Fail(schemas.CodeUnavailable, "no encrypted connection to %s: %s; %s", s.Server.URL, Reason(err), advice).Because(err)
}
