package openldap

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// maxAnswer bounds what a server may send in one exchange, in bytes. The largest real answer, an account with many
// attributes, stays far below; go-ldap itself would read up to 2 GiB.
const maxAnswer = 1 << 20

// Object identifiers that the root entry may list under supportedControl.
const (
	oidPasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy: the ppolicy overlay is loaded
	oidAssertion      = "1.3.6.1.1.12"              // RFC 4528: do it only if the entry matches a filter
)

// session is one connection that is signed in. One call has it at a time.
type session struct {
	conn   *ldap.Conn
	wire   *wire
	server server
	dialer *dialer
	root   root

	broken bool      // an exchange did not end in order; never used again
	first  bool      // out of the pool, and nothing was exchanged since
	stale  bool      // broken by the first exchange out of the pool
	idle   time.Time // since when it lies in the pool
}

// root is what the server says of itself (RFC 4512 §5.1).
type root struct {
	product string
	ppolicy bool
	asserts bool
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

// within makes one exchange. go-ldap knows no contexts and waits for a silent server for ever, so the end of the context
// closes the connection below it, which ends the wait at once.
func (s *session) within(ctx context.Context, exchange func() error) error {
	ctx, cancel := context.WithTimeout(ctx, s.dialer.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.wire.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { _ = s.wire.Close() })
	err := exchange()
	// An answer counts even if it came at the last moment; everything else leaves the connection in an unknown state.
	_, answered := answer(err)
	if !stop() {
		s.broken = true
		if err != nil && !answered {
			err = errors.Join(ctx.Err(), err)
		}
	}
	if err != nil && !answered {
		s.broken, s.stale = true, s.first && ctx.Err() == nil
	}
	s.first = false
	return err
}

// search reads the entries that match, at most limit. More than that is the error 4, sizeLimitExceeded, beside the entries.
func (s *session) search(ctx context.Context, base string, scope int, filter string, limit int, attributes ...string) ([]*ldap.Entry, error) {
	return s.find(ctx, ldap.SearchRequest{BaseDN: base, Scope: scope, Filter: filter, SizeLimit: limit, Attributes: attributes})
}

// find is search with more to choose.
func (s *session) find(ctx context.Context, r ldap.SearchRequest) ([]*ldap.Entry, error) {
	r.DerefAliases, r.EnforceSizeLimit = ldap.NeverDerefAliases, true
	var got *ldap.SearchResult
	err := s.within(ctx, func() (err error) {
		got, err = s.conn.Search(&r)
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

// modify changes one entry. With the assertion control the server does it only if the entry matches the filter when the
// turn comes to it. The secret, if the changes hold one, is kept out of the error.
func (s *session) modify(ctx context.Context, dn, assertion, secret string, changes ...ldap.Change) error {
	r := ldap.NewModifyRequest(dn, nil)
	r.Changes = changes
	if s.root.asserts {
		filter, err := ldap.CompileFilter(assertion)
		if err != nil {
			return err
		}
		r.Controls = []ldap.Control{ldap.NewControlString(oidAssertion, true, string(filter.Bytes()))}
	}
	return s.within(ctx, func() error { return hushed(s.conn.Modify(r), secret) })
}

// readRoot reads the server's root entry.
func (s *session) readRoot(ctx context.Context) (root, *schemas.Failure) {
	entries, err := s.search(ctx, "", ldap.ScopeBaseObject, "(objectClass=*)", 1, "objectClass", "supportedControl", "vendorName", "vendorVersion")
	if err != nil {
		return root{}, s.failure(ctx, "reading the root entry", err)
	}
	if len(entries) == 0 {
		return root{}, schemas.Fail(schemas.CodePermissionMissing,
			"%s does not show its root entry; grant: olcAccess: to dn.base=\"\" by * read (on the frontend database)", s.server.url)
	}
	e := entries[0]
	r := root{product: strings.TrimSpace(e.GetAttributeValue("vendorName") + " " + e.GetAttributeValue("vendorVersion"))}
	if r.product == "" && slices.Contains(e.GetAttributeValues("objectClass"), "OpenLDAProotDSE") {
		r.product = "OpenLDAP"
	}
	controls := e.GetAttributeValues("supportedControl")
	r.ppolicy, r.asserts = slices.Contains(controls, oidPasswordPolicy), slices.Contains(controls, oidAssertion)
	return r, nil
}

// close ends the connection. go-ldap's own Close can wait for a request that is being written, so a connection that is
// broken is cut below it first.
func (s *session) close() {
	if s.conn == nil || s.broken {
		_ = s.wire.Close() // nobody is owed a farewell
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
