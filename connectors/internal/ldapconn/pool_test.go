package ldapconn

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// listen takes connections and says nothing on them.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l
}

// poolOf makes a pool of servers that want no signing in.
func poolOf(t *testing.T, size int, listeners ...net.Listener) *Pool[struct{}] {
	t.Helper()
	c := Settings{AllowPlaintext: true, Timeout: 5 * time.Second, Pool: size, System: "test"}
	for _, l := range listeners {
		c.URLs = append(c.URLs, "ldap://"+l.Addr().String())
	}
	d, err := NewDialer(c, Product[struct{}]{
		SignIn: func(context.Context, *Session[struct{}]) *schemas.Failure { return nil },
		Greet:  func(context.Context, *Session[struct{}]) (struct{}, *schemas.Failure) { return struct{}{}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPool(d, size)
	t.Cleanup(p.Close)
	return p
}

// exchange stands for one that ends as told.
func exchange(s *Session[struct{}], end error) error {
	return s.Within(context.Background(), func(*ldap.Conn) error { return end })
}

// The connection is somebody else's as soon as it has been given back. If it then breaks under him, the call that went
// well must not be made again: it may have been a reset.
func TestACallThatWentWellIsNeverMadeAgainBecauseOfTheNextOne(t *testing.T) {
	t.Parallel()
	p := poolOf(t, 4, listen(t))
	for range 200 {
		var ran int
		var wait sync.WaitGroup
		wait.Go(func() {
			_ = p.With(t.Context(), func(s *Session[struct{}]) error { ran++; return exchange(s, nil) })
		})
		for range 3 {
			wait.Go(func() {
				_ = p.With(t.Context(), func(s *Session[struct{}]) error {
					if s.first {
						return exchange(s, errors.New("the connection broke"))
					}
					return exchange(s, nil)
				})
			})
		}
		wait.Wait()
		if ran != 1 {
			t.Fatalf("the call was made %d times", ran)
		}
	}
}

// serverOf tells where a call goes.
func serverOf(t *testing.T, p *Pool[struct{}]) (at string) {
	t.Helper()
	if err := p.With(t.Context(), func(s *Session[struct{}]) error { at = s.Server.address; return exchange(s, nil) }); err != nil {
		t.Fatal(err)
	}
	return at
}

// A change that one server took shows at another only after it was copied there, so calls must not go now here, now there.
func TestAllCallsGoToOneServerAlsoWhileOldConnectionsToAnotherStillWork(t *testing.T) {
	t.Parallel()
	one, two := listen(t), listen(t)
	p := poolOf(t, 4, one, two)
	err := p.With(t.Context(), func(s *Session[struct{}]) error {
		if s.Server.address != one.Addr().String() {
			t.Errorf("the first call went to %s", s.Server.address)
		}
		_ = one.Close() // takes no new connections, and this one still works
		if at := serverOf(t, p); at != two.Addr().String() {
			t.Errorf("with the first server down a call went to %s", at)
		}
		return exchange(s, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if at := serverOf(t, p); at != two.Addr().String() {
			t.Errorf("after moving on to %s a call went to %s", two.Addr(), at)
		}
	}
}

// Somebody who gives up says nothing against the server.
func TestACallerWhoGivesUpDoesNotMakeTheOthersChangeTheServer(t *testing.T) {
	t.Parallel()
	one, two := listen(t), listen(t)
	p := poolOf(t, 4, one, two)
	ctx, cancel := context.WithCancel(t.Context())
	p.Dialer.product.SignIn = func(ctx context.Context, _ *Session[struct{}]) *schemas.Failure {
		cancel()
		<-ctx.Done()
		return schemas.Fail(schemas.CodeTimedOut, "given up")
	}
	if err := p.With(ctx, func(*Session[struct{}]) error { return nil }); schemas.CodeOf(err) != schemas.CodeTimedOut {
		t.Errorf("a caller who gave up was told %v", err)
	}
	p.Dialer.product.SignIn = func(context.Context, *Session[struct{}]) *schemas.Failure { return nil }
	if at := serverOf(t, p); at != one.Addr().String() {
		t.Errorf("the next call went to %s", at)
	}
}
