package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
)

// senders are clients that behave as a good sender does: each request has an id and a body of its own, an
// acknowledgement is final, and whatever was not acknowledged is sent again with the same id and the same body.
type senders struct {
	client  *harness.Client
	clients int
	users   int

	mu     sync.Mutex
	next   int
	again  []request
	acked  map[string]request // by task id
	first  chan struct{}      // closed by the first acknowledgement of a round
	misled int                // one request that was answered with two different tasks
	tasks  map[string]string  // request id → task id
}

type request struct {
	id, uid string
	body    []byte
}

func newSenders(site *harness.Site, s settings) *senders {
	return &senders{client: site.Client(s.clients), clients: s.clients, users: s.users, acked: map[string]request{}, tasks: map[string]string{}}
}

// begin starts the clients. stop ends them in the middle of what they do; wait lets them finish.
func (s *senders) begin(ctx context.Context) (stop, wait func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.first = make(chan struct{})
	s.mu.Unlock()
	var wg sync.WaitGroup
	for range s.clients {
		wg.Go(func() {
			for ctx.Err() == nil {
				if !s.one(ctx) {
					return
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }, func() { wg.Wait(); cancel() }
}

// one sends one request. It tells whether there is anything more to do.
func (s *senders) one(ctx context.Context) bool {
	r, ok := s.take()
	if !ok {
		return false
	}
	status, tasks, err := s.client.Send(ctx, r.id, r.body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || status != http.StatusAccepted || len(tasks) != 1 {
		s.again = append(s.again, r)
		if err == nil && status == http.StatusServiceUnavailable {
			s.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			s.mu.Lock()
		}
		return err == nil // a broken connection ends the client until the next round
	}
	if old, seen := s.tasks[r.id]; seen && old != tasks[0].ID {
		s.misled++
	}
	s.tasks[r.id] = tasks[0].ID
	s.acked[tasks[0].ID] = r
	select {
	case <-s.first:
	default:
		close(s.first)
	}
	return true
}

func (s *senders) take() (request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.again); n > 0 {
		r := s.again[n-1]
		s.again = s.again[:n-1]
		return r, true
	}
	if s.next >= s.users {
		return request{}, false
	}
	s.next++
	uid := testserver.BulkUID(s.next)
	body, err := harness.Body(uid)
	if err != nil {
		return request{}, false
	}
	return request{id: fmt.Sprintf("crash_%06d", s.next), uid: uid, body: body}, true
}

// firstAck waits for the first acknowledgement of a round.
func (s *senders) firstAck(ctx context.Context) error {
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	select {
	case <-first:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return fmt.Errorf("no request was acknowledged within 30 s")
	}
}

// settle sends again whatever is still without an acknowledgement, until all of it has one.
func (s *senders) settle(ctx context.Context) error {
	for range 100 {
		s.mu.Lock()
		open := s.again
		s.again = nil
		s.users = s.next // nothing new
		s.mu.Unlock()
		if len(open) == 0 {
			return nil
		}
		s.mu.Lock()
		s.again = open
		s.mu.Unlock()
		_, wait := s.begin(ctx)
		wait()
	}
	return fmt.Errorf("%d requests are still refused", len(s.again))
}

func (s *senders) acknowledged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}
