package connectors

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// pace makes the calls of one system wait for their turns: for the configured rate, for pauses that the system asks for, and
// for the slower pace after a hint. Calls that go on with what was begun come before those that begin something, so that
// of many tasks few are open at a time, and none waits between reading an account and changing it.
type pace struct {
	system  string
	every   time.Duration // between two turns by the configuration; zero is no bound
	good    time.Duration // how late one of the common book may be used
	tight   bool          // the rate is one for a second or less, so the ring alone sees to it that it is kept
	pacer   Pacer         // nil: this process is alone
	log     zerolog.Logger
	metrics *metrics

	mu      sync.Mutex
	line    [2][]*waiter
	turns   []turn // reserved and not used yet
	running bool   // run is at work
	asking  bool   // a call of the Pacer is under way
	poke    chan struct{}

	held  time.Time // no call before
	since time.Time // when the pause began
	busy  int       // pauses in a row for which the system named no time

	own      schedule
	passed   ring                     // calls let through by our own schedule, if there is a bound
	usual    map[string]time.Duration // how long a step takes, of those that are quick
	throttle throttle
	share    float64 // as the Pacer said last
	learned  time.Duration
	recent   tally
	asked    time.Time // when the Pacer was last asked
	trip     time.Duration
	alone    bool
}

// The two lines: calls that go on with what was begun, and those that begin something.
const (
	onward = iota
	beginning
)

// waiter is a call that waits.
type waiter struct {
	deadline time.Time  // of its caller; zero is none
	answer   chan error // takes one: nil is its turn
	until    time.Time  // with a turn of the common book: when it is over
	passed   *time.Time // with a turn of our own: where the moment is noted at which it was used
}

func newPace(s System, log zerolog.Logger, m *metrics) *pace {
	p := &pace{system: s.Name, every: s.Rate.every(), good: s.Rate.tolerance(), tight: s.Rate.Per <= span, metrics: m, log: log.With().Str("system", s.Name).Logger(), poke: make(chan struct{}, 1), share: 1,
		usual: map[string]time.Duration{}}
	// An earlier process may have called a moment ago, so there is nothing to borrow at first.
	p.own.next = time.Now()
	if p.every > 0 {
		p.passed = newRing(p.every)
	}
	return p
}

// wait lets a call through when it is its turn. A wait that would outlast the caller, and a pause that is longer than
// patience, fail at once as rate_limited, and say how long it would have been.
func (p *pace) wait(ctx context.Context, begins bool) (mark, error) {
	if err := ctx.Err(); err != nil {
		return mark{}, schemas.Fail(schemas.CodeTimedOut, "the call was given up before it was made; nothing was sent").Because(err)
	}
	began := time.Now()
	class := onward
	if begins {
		class = beginning
	}
	w := &waiter{answer: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	if !p.queue(w, began, class) {
		return mark{}, nil
	}
	defer func() { p.metrics.waited.WithLabelValues(p.system).Observe(time.Since(began).Seconds()) }()
	for {
		select {
		case err := <-w.answer:
			if err != nil {
				return mark{}, err
			}
			if m, ok := p.use(w); ok {
				return m, nil
			}
		case <-ctx.Done():
			p.leave(w)
			return mark{}, schemas.Fail(schemas.CodeTimedOut, "the call was given up while it waited for its turn at the system; nothing was sent").Because(ctx.Err())
		}
	}
}

// use tells whether a turn can still be used by the one who got it. On a busy machine it may take long to be woken; then it
// gets the next.
func (p *pace) use(w *waiter) (mark, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if w.passed != nil {
		*w.passed = now
		return mark{w.passed, now}, true
	}
	if w.until.IsZero() || !now.After(w.until) {
		return mark{}, true
	}
	p.metrics.missed.WithLabelValues(p.system).Inc()
	p.line[onward] = slices.Insert(p.line[onward], 0, w)
	p.wake()
	return mark{}, false
}

// leave takes a waiter out of the line.
func (p *pace) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.line {
		p.line[i] = slices.DeleteFunc(p.line[i], func(other *waiter) bool { return other == w })
	}
	if p.running { // nobody may be left to run for
		p.wake()
	}
}

// queue puts a waiter into the line, or tells that it need not wait.
func (p *pace) queue(w *waiter, now time.Time, class int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent.add(now)
	if p.every == 0 {
		p.refresh(now)
	}
	if p.interval(now) == 0 && !now.Before(p.held) {
		return false
	}
	p.line[class] = append(p.line[class], w)
	p.wake()
	return true
}

// wake has run look again. The caller holds mu.
func (p *pace) wake() {
	if !p.running {
		p.running = true
		go p.run()
		return
	}
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// interval is the time between two turns at present; zero is no bound. A system without a configured rate has one only
// while it recovers from a hint: a part of what it was called at then.
func (p *pace) interval(now time.Time) time.Duration {
	if p.every > 0 {
		return p.every
	}
	if p.learned > 0 && p.throttle.now(now) == 1 {
		p.learned = 0
	}
	return p.learned
}
