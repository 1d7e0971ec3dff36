package jobs

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// How long a wake-up may be outstanding before the sweep asks the queue whether it is still there, and how many are put
// on the queue at the same time: more would not be faster on one Redis connection pool, fewer would wait for each round trip.
const (
	staleAfter = 3 * time.Second
	enqueuers  = 8
)

// How many stale wake-ups found waiting in a row mean that the queue is merely long: it is first in, first out.
const enoughWaiting = 8

// How many works of one queue are done without it while it cannot be reached.
const withoutQueue = 16

// feeder keeps one queue supplied from the ledger. It knows which wake-ups of this process are outstanding, never lets
// more than the window be so, and looks at the ledger again once a second, so that whatever the queue has lost comes back.
type feeder struct {
	queue string
	svc   *Service
	local chan struct{} // one for each work that is done without the queue

	mu      sync.Mutex
	out     map[string]outstanding // by work id
	offered []Work
	behind  bool // the ledger holds more than was taken from it

	silentSince time.Time // when the queue's system was first seen not to answer

	signal chan struct{}
}

type outstanding struct {
	generation int
	since      time.Time
	missed     int  // sweeps that found it due and not waiting
	anyway     bool // it was handed out although its system is held
}

func newFeeder(queue string, s *Service) *feeder {
	return &feeder{queue: queue, svc: s, local: make(chan struct{}, withoutQueue), out: map[string]outstanding{}, signal: make(chan struct{}, 1)}
}

// offer takes fresh work directly, without a look at the ledger, as long as there is room and nothing older waits.
func (f *feeder) offer(w Work) {
	held, _ := f.held()
	f.mu.Lock()
	if f.behind || held || len(f.out) >= f.svc.Window {
		f.behind = true
		f.mu.Unlock()
		return
	}
	f.out[w.ID] = outstanding{generation: w.Generation, since: f.svc.Now()}
	f.offered = append(f.offered, w)
	f.mu.Unlock()
	f.ring()
}

// kick makes the feeder look at the ledger now.
func (f *feeder) kick() {
	f.mu.Lock()
	f.behind = true
	f.mu.Unlock()
	f.ring()
}

// held tells whether the queue's system wants a pause, or does not answer, and whether it has not for HeldFor. Pauses
// shorter than the time between sweeps are waited out by those who have work already.
func (f *feeder) held() (held, long bool) {
	system, ok := strings.CutPrefix(f.queue, QueueOf(""))
	if !ok || f.svc.Held == nil {
		return false, false
	}
	until, silent := f.svc.Held(system)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch now := time.Now(); {
	case !silent:
		f.silentSince = time.Time{}
		return until.Sub(now) > f.svc.Timing.Sweep, false
	case f.silentSince.IsZero():
		f.silentSince = now
	}
	return true, time.Since(f.silentSince) > f.svc.Timing.HeldFor
}

// holdsBack tells whether a wake-up that was taken off the queue is to be left alone, because its system is held since it
// was put there. It is not claimed, so its history shows nothing, and the sweep hands it out again. What another replica
// has put there is not held back: that one may know better, and would miss it.
func (f *feeder) holdsBack(w Work) bool {
	if held, _ := f.held(); !held {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.out[w.ID]
	return ok && o.generation == w.Generation && !o.anyway
}

// done tells that a worker has dealt with a wake-up, whatever came of it.
func (f *feeder) done(w Work) {
	f.mu.Lock()
	if o, ok := f.out[w.ID]; ok && o.generation == w.Generation {
		delete(f.out, w.ID)
	}
	more := f.behind && len(f.out) <= f.svc.Window/2
	f.mu.Unlock()
	if more {
		f.ring()
	}
}

func (f *feeder) ring() {
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

func (f *feeder) run(ctx context.Context) {
	tick := time.NewTicker(f.svc.Timing.Sweep)
	defer tick.Stop()
	f.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.sweep(ctx)
		case <-f.signal:
			f.mu.Lock()
			batch, look := f.offered, f.behind && len(f.out) <= f.svc.Window/2
			f.offered = nil
			f.mu.Unlock()
			f.enqueue(ctx, batch)
			if look {
				f.sweep(ctx)
			}
		}
	}
}

// sweep reads what is due and enqueues whatever has no live wake-up, up to the window.
func (f *feeder) sweep(ctx context.Context) {
	now := f.svc.Now()
	due, err := f.svc.Ledger.Due(ctx, f.queue, now, f.svc.Window)
	if err != nil {
		if ctx.Err() == nil {
			f.svc.Logger.Warn().Err(err).Str("queue", f.queue).Msg("cannot read due work from the ledger; trying again in a second")
		}
		return
	}
	seen := make(map[string]bool, len(due))
	var fresh, stale []Work
	held, long := f.held()
	f.mu.Lock()
	for _, w := range due {
		seen[w.ID] = true
		if f.svc.leases.busy(w.ID) {
			continue
		}
		o, ok := f.out[w.ID]
		anyway := long && now.Sub(w.DueAt) > f.svc.Timing.HeldFor
		switch {
		case held && !anyway:
		case !ok || o.generation != w.Generation:
			if len(f.out) >= f.svc.Window {
				continue
			}
			f.out[w.ID] = outstanding{generation: w.Generation, since: now, anyway: anyway}
			fresh = append(fresh, w)
		case now.Sub(o.since) > staleAfter:
			stale = append(stale, w)
		}
	}
	f.behind = len(due) >= f.svc.Window
	if !f.behind { // what is outstanding, old, and not due belongs to another replica by now
		for id, o := range f.out {
			if !seen[id] && now.Sub(o.since) > staleAfter {
				delete(f.out, id)
			}
		}
	}
	f.mu.Unlock()
	f.enqueue(ctx, fresh)
	waiting := 0
	for _, w := range stale {
		if f.revive(ctx, w, now) {
			waiting++
		}
		if waiting == enoughWaiting {
			return
		}
	}
}

// revive deals with a wake-up that should have been taken by now: it waits in a long queue, or was lost, or is held by
// a worker that died before its claim. The last blocks its id in the queue, so the work gets a new generation.
// It tells whether the wake-up waits.
func (f *feeder) revive(ctx context.Context, w Work, now time.Time) bool {
	waiting, err := f.svc.Queue.Waiting(ctx, w)
	if err != nil {
		f.enqueue(ctx, []Work{w}) // which fails as well, and does it here
		return false
	}
	f.mu.Lock()
	o, ok := f.out[w.ID]
	if !ok || o.generation != w.Generation {
		f.mu.Unlock()
		return false
	}
	o.since = now
	if waiting {
		o.missed = 0
	} else {
		o.missed++
	}
	f.out[w.ID] = o
	f.mu.Unlock()
	switch {
	case waiting:
	case o.missed == 1:
		f.svc.count.lost.WithLabelValues(f.queue).Inc()
		f.enqueue(ctx, []Work{w})
	default:
		f.renumber(ctx, w, now)
	}
	return waiting
}

// renumber gives work whose wake-up is in limbo a new generation, and leaves it to the next sweep.
func (f *feeder) renumber(ctx context.Context, w Work, now time.Time) {
	var err error
	if f.queue == CallbackQueue {
		_, err = f.svc.Ledger.ClaimCallback(ctx, w.ID, w.Generation, now)
	} else {
		_, err = f.svc.Ledger.Transition(ctx, w.TaskID, func(t schemas.Task) ([]schemas.Event, error) {
			n := t.Enforcement(w.ID)
			if n == nil || n.Generation != w.Generation || n.Status.Final() {
				return nil, errStale
			}
			return []schemas.Event{{TaskID: t.ID, At: now, Type: schemas.EventDeferred, Actor: "resetd", System: n.System,
				Generation: n.Generation + 1, DueAt: now, Detail: "its wake-up was lost in the queue; queued again"}}, nil
		})
	}
	if err != nil && !errors.Is(err, errStale) && !errors.Is(err, schemas.ErrState) {
		f.svc.Logger.Warn().Err(err).Str("task", w.TaskID).Str("queue", f.queue).Msg("cannot queue lost work again; trying again in a second")
	}
	f.done(w)
}

// without does work in this process that the queue did not take: the queue only wakes, and the ledger's claim keeps others
// away. What there is no room for is forgotten; the next sweep finds it in the ledger.
func (f *feeder) without(ctx context.Context, w Work, cause error) {
	select {
	case f.local <- struct{}{}:
	default:
		f.mu.Lock()
		delete(f.out, w.ID)
		f.behind = true
		f.mu.Unlock()
		return
	}
	f.svc.count.direct.WithLabelValues(f.queue).Inc()
	f.svc.Logger.Debug().Err(cause).Str("task", w.TaskID).Str("queue", f.queue).Msg("the queue does not take a wake-up; the work is done without it")
	f.svc.running.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				f.svc.Logger.Error().Str("task", w.TaskID).Type("panic", v).Msg("a worker panicked; this is a bug, please report it")
			}
			<-f.local
		}()
		if f.queue == CallbackQueue {
			f.svc.HandleCallback(ctx, w)
			return
		}
		f.svc.HandleEnforcement(ctx, w)
	})
}

// enqueue puts wake-ups on the queue, several at a time.
func (f *feeder) enqueue(ctx context.Context, batch []Work) {
	put := func(w Work) {
		if err := f.svc.Queue.Enqueue(ctx, w); err != nil {
			f.without(ctx, w, err)
		}
	}
	if len(batch) <= 2 {
		for _, w := range batch {
			put(w)
		}
		return
	}
	each(batch, enqueuers, put)
}
