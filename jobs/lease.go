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
}

type lease struct {
	work   Work
	until  time.Time
	cancel context.CancelCauseFunc
}

func newLeases(l Ledger, length time.Duration, now func() time.Time, log zerolog.Logger) *leases {
	return &leases{ledger: l, length: length, now: now, log: log, held: map[string]*lease{}}
}

// hold keeps a claim alive until release is called. The context ends with errLeaseLost when the claim is lost.
func (l *leases) hold(ctx context.Context, w Work, until time.Time) (context.Context, *lease, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	h := &lease{work: w, until: until, cancel: cancel}
	l.mu.Lock()
	l.held[w.ID] = h
	l.mu.Unlock()
	return ctx, h, func() {
		l.mu.Lock()
		if l.held[w.ID] == h {
			delete(l.held, w.ID)
		}
		l.mu.Unlock()
		cancel(context.Canceled)
	}
}

// valid tells whether the claim has at least margin left: whoever changes something outside asks right before.
func (l *leases) valid(h *lease, margin time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[h.work.ID] == h && l.now().Add(margin).Before(h.until)
}

// extended tells the book that the ledger has moved the end of a claim.
func (l *leases) extended(h *lease, until time.Time) {
	l.mu.Lock()
	h.until = until
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
		h.until = until
	}
}
