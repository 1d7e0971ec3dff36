package connectors

import (
	"context"
	"sync"
	"time"
)

// Pacer is what all replicas know together about the pace of the systems. Without one, or while it fails, a replica goes by
// what it knows itself. Its methods may be called at the same time. Times are of this process's clock.
type Pacer interface {
	// Turns reserves up to n turns of a system whose turns are every apart: for each the first moment at which
	// it may be used, and its place in the sequence, after which it must be used soon. share, from 0 to 1, is how much of its pace the system gets at present. held is until when the system
	// must not be called at all, if that is in the future; no turn is before it. With n = 0 it only tells these two.
	Turns(ctx context.Context, system string, every time.Duration, n int) (turns [][2]time.Time, share float64, held time.Time, err error)
	// Hold tells all replicas to leave a system alone for a time, and, with slower, to call it less often for a while.
	Hold(ctx context.Context, system string, pause time.Duration, slower bool) error
	// Alone tells what to do while Turns fails: from when on a replica may go by its own share of each rate, and into how
	// many shares a rate is divided then.
	Alone() (from time.Time, shares int)
}

// Hints carries what a connector says about the pace of its system to the Set, which is made after the connector: Env.Hint
// is its Take, and System.Hints itself. What comes before the Set is there is dropped. The zero value is ready.
type Hints struct {
	mu sync.Mutex
	to func(Hint)
}

// Take passes a hint on.
func (h *Hints) Take(hint Hint) {
	h.mu.Lock()
	to := h.to
	h.mu.Unlock()
	if to != nil {
		to(hint)
	}
}

func (h *Hints) bind(to func(Hint)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.to = to
}
