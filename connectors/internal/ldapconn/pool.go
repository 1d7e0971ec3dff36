package ldapconn

import (
	"context"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// maxIdle is how long a connection may lie unused. Firewalls and the servers' own limits drop silent connections later
// than that, and a request into a dropped one would have an unknown outcome.
const maxIdle = 30 * time.Second

// Pool keeps a few connections that are signed in.
type Pool[R any] struct {
	Dialer *Dialer[R]
	slots  chan struct{} // one for each connection in use

	mu     sync.Mutex
	idle   []*Session[R] // the last is the one used last
	closed bool
}

// NewPool makes a pool that connects when it is first asked.
func NewPool[R any](d *Dialer[R], size int) *Pool[R] {
	return &Pool[R]{Dialer: d, slots: make(chan struct{}, size)}
}

// With lends a connection for the time of do. A connection out of the pool may have been dropped by the other side without
// a word; when the first exchange of do shows that, do runs again on a new connection. A server that is busy or going down
// (51, 52) before anything was sent that changes something is left for the next one of the list. Every do begins with a
// search, so nothing is ever sent twice that changes anything.
func (p *Pool[R]) With(ctx context.Context, do func(*Session[R]) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return schemas.Fail(schemas.CodeTimedOut, "all %d connections to the directory were busy; nothing was sent; raise pool: of the system %s",
			cap(p.slots), p.Dialer.system).Because(ctx.Err())
	}
	defer func() { <-p.slots }()
	if s := p.take(); s != nil {
		if again, err := p.lend(s, do); !again {
			return err
		}
	}
	var err error
	for range p.Dialer.servers {
		var s *Session[R]
		var again bool
		if s, err = p.Dialer.connect(ctx); err != nil {
			return err
		}
		if again, err = p.lend(s, do); !again {
			return err
		}
	}
	return err
}

// elsewhere tells whether another server is to be tried, and makes it the next one.
func (p *Pool[R]) elsewhere(s *Session[R]) bool {
	if !s.busy || s.wrote || len(p.Dialer.servers) < 2 {
		return false
	}
	p.Dialer.leave(s.Server)
	return true
}

// lend runs do and takes the connection back. Again tells that do is to run once more on another one. That is settled before
// the connection goes back: from then on somebody else has it, and what happens to him must not have this call made twice.
func (p *Pool[R]) lend(s *Session[R], do func(*Session[R]) error) (again bool, err error) {
	ended := false
	defer func() {
		s.broken = s.broken || !ended // a panic left an exchange open
		p.give(s)
	}()
	err = do(s)
	ended = true
	return s.stale || p.elsewhere(s), err
}

// take gives the connection that was used last, if it is still good, and leads to the server that new connections go to: were
// there some to each of two, a change made at one would be looked for at the other, which may not have heard of it. go-ldap
// reads all the time and so notices at once when the server hangs up.
func (p *Pool[R]) take() *Session[R] {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := len(p.idle) - 1
		s := p.idle[last]
		p.idle = p.idle[:last]
		if !s.conn.IsClosing() && time.Since(s.idle) < maxIdle && s.Server == p.Dialer.preferred() {
			s.first, s.wrote = true, false
			return s
		}
		// Not under the lock: closing can take a moment.
		go s.Close()
	}
	return nil
}

// give puts a connection back or ends it.
func (p *Pool[R]) give(s *Session[R]) {
	s.idle = time.Now()
	p.mu.Lock()
	keep := !s.broken && !p.closed && !s.conn.IsClosing() && s.Server == p.Dialer.preferred()
	if keep {
		p.idle = append(p.idle, s)
	}
	p.mu.Unlock()
	if !keep {
		s.Close()
	}
}

// Close ends all connections that nobody uses; those in use end when they come back.
func (p *Pool[R]) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, s := range idle {
		s.Close()
	}
}
