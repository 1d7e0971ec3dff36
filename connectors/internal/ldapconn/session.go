package ldapconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// maxAnswer bounds what a server may send in one exchange, in bytes. The largest real answer, an account with many
// attributes, stays far below; go-ldap itself would read up to 2 GiB.
const maxAnswer = 1 << 20

// Session is one connection that is signed in. One call has it at a time.
type Session[R any] struct {
	Server Server
	Root   R // what the server said of itself

	conn   *ldap.Conn
	wire   *wire
	dialer *Dialer[R]

	broken bool      // an exchange did not end in order; never used again
	first  bool      // out of the pool, and nothing was exchanged since
	stale  bool      // broken by the first exchange out of the pool
	wrote  bool      // something was sent that may change an entry
	busy   bool      // the server has sent us away, before anything was sent that changes something
	idle   time.Time // since when it lies in the pool
}

// wire is the connection below TLS. It stops a server that sends without end.
type wire struct {
	net.Conn
	left atomic.Int64
}

// Read reads until the allowance of the exchange is used up.
func (w *wire) Read(b []byte) (int, error) {
	if w.left.Load() <= 0 {
		return 0, errors.New("the server sent more than any answer can hold")
	}
	n, err := w.Conn.Read(b)
	w.left.Add(-int64(n))
	return n, err
}

// Within makes one exchange. go-ldap knows no contexts and waits for a silent server for ever, so the end of the context
// closes the connection below it, which ends the wait at once.
func (s *Session[R]) Within(ctx context.Context, exchange func(*ldap.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.dialer.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.wire.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { _ = s.wire.Close() })
	err := exchange(s.conn)
	// An answer counts even if it came at the last moment; everything else leaves the connection in an unknown state.
	code, answered := Answer(err)
	if !stop() {
		s.broken = true
		if err != nil && !answered {
			err = errors.Join(ctx.Err(), err)
		}
	}
	if err != nil && !answered {
		s.broken, s.stale = true, s.first && ctx.Err() == nil
	}
	if !s.wrote && answered && (code == ldap.LDAPResultBusy || code == ldap.LDAPResultUnavailable) {
		s.busy, s.broken = true, true
	}
	s.first = false
	return err
}

// Search reads the entries that match, at most limit. More than that is the error 4, sizeLimitExceeded, beside the entries.
func (s *Session[R]) Search(ctx context.Context, base string, scope int, filter string, limit int, attributes ...string) ([]*ldap.Entry, error) {
	return s.Find(ctx, ldap.SearchRequest{BaseDN: base, Scope: scope, Filter: filter, SizeLimit: limit, Attributes: attributes})
}

// Find is Search with more to choose.
func (s *Session[R]) Find(ctx context.Context, r ldap.SearchRequest) ([]*ldap.Entry, error) {
	r.DerefAliases, r.EnforceSizeLimit = ldap.NeverDerefAliases, true
	var got *ldap.SearchResult
	err := s.Within(ctx, func(c *ldap.Conn) (err error) {
		got, err = c.Search(&r)
		return err
	})
	if errors.Is(err, ldap.ErrSizeLimitExceeded) {
		err = ldap.NewError(ldap.LDAPResultSizeLimitExceeded, err)
		s.broken = true // the rest of the entries is still on its way
	}
	if got == nil {
		return nil, err
	}
	return got.Entries, err
}

// Modify changes one entry, under the controls given. The secrets, if the changes hold any, are kept out of the error.
func (s *Session[R]) Modify(ctx context.Context, dn string, changes []ldap.Change, controls []ldap.Control, secrets ...schemas.Secret) error {
	r := ldap.NewModifyRequest(dn, controls)
	r.Changes = changes
	s.wrote = true
	return s.Within(ctx, func(c *ldap.Conn) error { return Hushed(c.Modify(r), secrets...) })
}

// TLS tells how the connection is protected; nil if it is not.
func (s *Session[R]) TLS() *schemas.TLS {
	state, ok := s.conn.TLSConnectionState()
	if !ok || len(state.VerifiedChains) == 0 {
		return nil
	}
	return &schemas.TLS{Version: tls.VersionName(state.Version), Until: earliest(state.VerifiedChains[0])}
}

// earliest gives when the first certificate of a chain runs out.
func earliest(chain []*x509.Certificate) time.Time {
	until := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(until) {
			until = c.NotAfter
		}
	}
	return until
}

// Close ends the connection. go-ldap's own Close can wait for a request that is being written, so a connection that is
// broken is cut below it first.
func (s *Session[R]) Close() {
	if s.conn == nil || s.broken {
		_ = s.wire.Close() // nobody is owed a farewell
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
