package openldap

import (
	"context"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// maxIdle is how long a connection may lie unused. Firewalls and slapd's own olcIdleTimeout drop silent connections later
// than that, and a request into a dropped one would have an unknown outcome.
const maxIdle = 30 * time.Second

// pool keeps a few connections that are signed in.
type pool struct {
	dialer *dialer
	slots  chan struct{} // one for each connection in use

	mu     sync.Mutex
	idle   []*session // the last is the one used last
	closed bool
}

// newPool makes a pool that connects when it is first asked.
func newPool(d *dialer, size int) *pool {
	return &pool{dialer: d, slots: make(chan struct{}, size)}
}

// with lends a connection for the time of do. A connection out of the pool may have been dropped by the other side without
// a word; when the first exchange of do shows that, do runs again on a new connection. Every do begins with a search, so
// nothing is ever sent twice that changes anything.
func (p *pool) with(ctx context.Context, do func(*session) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return schemas.Fail(schemas.CodeTimedOut, "all %d connections to the directory were busy; nothing was sent; raise pool: of the system %s",
			cap(p.slots), p.dialer.system).Because(ctx.Err())
	}
	defer func() { <-p.slots }()
	if s := p.take(); s != nil {
		if err := p.lend(s, do); !s.stale {
			return err
		}
	}
	s, err := p.dialer.connect(ctx)
	if err != nil {
		return err
	}
	return p.lend(s, do)
}

// lend runs do and takes the connection back.
func (p *pool) lend(s *session, do func(*session) error) error {
	ended := false
	defer func() {
		s.broken = s.broken || !ended // a panic left an exchange open
		p.give(s)
	}()
	err := do(s)
	ended = true
	return err
}

// take gives the connection that was used last, if it is still good. go-ldap reads all the time and so notices at once
// when the server hangs up.
func (p *pool) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := len(p.idle) - 1
		s := p.idle[last]
		p.idle = p.idle[:last]
		if !s.conn.IsClosing() && time.Since(s.idle) < maxIdle {
			s.first = true
			return s
		}
		// Not under the lock: closing can take a moment.
		go s.close()
	}
	return nil
}

// give puts a connection back or ends it.
func (p *pool) give(s *session) {
	s.idle = time.Now()
	p.mu.Lock()
	keep := !s.broken && !p.closed && !s.conn.IsClosing()
	if keep {
		p.idle = append(p.idle, s)
	}
	p.mu.Unlock()
	if !keep {
		s.close()
	}
}

// close ends all connections that nobody uses; those in use end when they come back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, s := range idle {
		s.close()
	}
}
