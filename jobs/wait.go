package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// How often a waiting caller looks at the ledger, for steps that another replica made.
const waitPoll = time.Second

// hub wakes those who wait for a task in this process.
type hub struct {
	mu    sync.Mutex
	waits map[string][]chan schemas.Task
}

func newHub() *hub { return &hub{waits: map[string][]chan schemas.Task{}} }

func (h *hub) listen(id string) (<-chan schemas.Task, func()) {
	c := make(chan schemas.Task, 1)
	h.mu.Lock()
	h.waits[id] = append(h.waits[id], c)
	h.mu.Unlock()
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		var rest []chan schemas.Task
		for _, o := range h.waits[id] {
			if o != c {
				rest = append(rest, o)
			}
		}
		if len(rest) == 0 {
			delete(h.waits, id)
			return
		}
		h.waits[id] = rest
	}
}

func (h *hub) tell(t schemas.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.waits[t.ID] {
		select {
		case <-c: // an older version that nobody has read
		default:
		}
		c <- t
	}
}

// Wait gives a task once it is final, or as it stands when ctx ends.
func (s *Service) Wait(ctx context.Context, id string) (schemas.Task, error) {
	news, stop := s.hub.listen(id)
	defer stop()
	poll := time.NewTicker(waitPoll)
	defer poll.Stop()
	for {
		t, err := s.Ledger.Task(context.WithoutCancel(ctx), id)
		if err != nil || t.Status.Final() {
			return t, err
		}
		select {
		case <-ctx.Done():
			return t, nil
		case t = <-news:
			if t.Status.Final() {
				return t, nil
			}
		case <-poll.C:
		}
	}
}
