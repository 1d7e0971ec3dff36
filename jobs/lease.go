package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// errLeaseLost is the cause by which a worker's context ends when its claim is no longer its own.
var errLeaseLost = errors.New("the claim was lost to another worker, or could not be renewed in time")

// leases renews the claims of this process. A claim that cannot be renewed before it runs out ends its worker's
// context: another worker takes over from then on.
type leases struct {
	ledger Ledger
	length time.Duration
	now    func() time.Time
	log    zerolog.Logger

	mu   sync.Mutex
	held map[string]*lease // by work id
	// running counts the workers of this process by work id, also those that have lost their claim and have not noticed.
	running map[string]int
}

type lease struct {
	work   Work
	until  time.Time
	wall   time.Time // until, by the wall clock: a machine that slept has lost its claims, and its steady clock does not know
	cancel context.CancelCauseFunc
}

func newLeases(l Ledger, length time.Duration, now func() time.Time, log zerolog.Logger) *leases {
	return &leases{ledger: l, length: length, now: now, log: log, held: map[string]*lease{}, running: map[string]int{}}
}

// hold keeps a claim alive until release is called. The context ends with errLeaseLost when the claim is lost.
func (l *leases) hold(ctx context.Context, w Work, until time.Time) (context.Context, *lease, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &lease{work: w, cancel: cancel}
	l.mu.Lock()
	l.set(h, until)
	l.held[w.ID] = h
	l.running[w.ID]++
	l.mu.Unlock()
	return ctx, h, func() {
		l.mu.Lock()
		if l.held[w.ID] == h {
			delete(l.held, w.ID)
		}
		if l.running[w.ID]--; l.running[w.ID] <= 0 {
			delete(l.running, w.ID)
		}
		l.mu.Unlock()
		cancel(context.Canceled)
	}
}

// busy tells whether a worker of this process is at it: nobody here may take it again, whatever any clock says.
func (l *leases) busy(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running[id] > 0
}

func (l *leases) set(h *lease, until time.Time) {
	h.until = until
	h.wall = time.Now().Round(0).Add(until.Sub(l.now()))
}

// valid tells whether the claim has at least margin left: whoever changes something outside asks right before.
func (l *leases) valid(h *lease, margin time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[h.work.ID] == h && l.now().Add(margin).Before(h.until) && time.Now().Round(0).Add(margin).Before(h.wall)
}

// extended tells the book that the ledger has moved the end of a claim.
func (l *leases) extended(h *lease, until time.Time) {
	l.mu.Lock()
	l.set(h, until)
	l.mu.Unlock()
}

func (l *leases) run(ctx context.Context) {
	tick := time.NewTicker(l.length / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.renew(ctx)
		}
	}
}

// renew extends every claim that has used up half of its time, in one call, and drops those that are lost or over.
func (l *leases) renew(ctx context.Context) {
	now := l.now()
	var batch []Work
	l.mu.Lock()
	for _, h := range l.held {
		if h.until.Sub(now) < l.length/2 {
			batch = append(batch, h.work)
		}
	}
	l.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	until := now.Add(l.length)
	ctx, cancel := context.WithTimeout(ctx, l.length/4)
	defer cancel()
	lost, err := l.ledger.Renew(ctx, batch, until)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.log.Warn().Err(err).Int("claims", len(batch)).Msg("cannot renew claims; workers stop when theirs run out")
		for _, w := range batch {
			if h := l.held[w.ID]; h != nil && !l.now().Before(h.until) {
				delete(l.held, w.ID)
				h.cancel(errLeaseLost)
			}
		}
		return
	}
	gone := make(map[string]bool, len(lost))
	for _, w := range lost {
		gone[w.ID] = true
	}
	for _, w := range batch {
		h := l.held[w.ID]
		if h == nil || h.work.Generation != w.Generation {
			continue
		}
		if gone[w.ID] {
			delete(l.held, w.ID)
			h.cancel(errLeaseLost)
			continue
		}
		l.set(h, until)
	}
}
