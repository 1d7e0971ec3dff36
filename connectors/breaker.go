package connectors

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// So many calls in a row that a system does not answer open its breaker.
const breakAfter = 5

// The pauses before the trials of a system that does not answer: the first, the longest, and for how long a system must
// have answered for the next outage to begin with the first again.
const (
	firstTrial  = time.Second
	longTrial   = time.Minute
	steadyAfter = time.Minute
)

// breaker keeps calls from a system that does not answer, so that each fails at once instead of after the time-out, and a
// system that is coming back is not met by everything that waited. While it is open, one probe at a time finds out
// whether the system is back. Each replica judges by what it sees: the fault may lie on its own way there.
type breaker struct {
	log   zerolog.Logger
	trial func(context.Context) error // probes; what comes of it is told to heard like any other call
	life  context.Context             //nolint:containedctx // of the trials; it ends when the set closes
	end   context.CancelFunc
	all   sync.WaitGroup

	mu     sync.Mutex
	state  State
	failed int // in a row
	reason string
	since  time.Time
	until  time.Time // the next trial
	pause  time.Duration
	outage int // numbers the outages, so that the trials of one end with it
}

func newBreaker(log zerolog.Logger, trial func(context.Context) error) *breaker {
	b := &breaker{log: log, trial: trial, state: StateClosed}
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

// allow gives the failure of a call that is not to be made, or nil.
func (b *breaker) allow(system string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == StateClosed {
		return nil
	}
	f := schemas.Fail(schemas.CodeUnavailable, "the system %s does not answer since %s, so it was not called and nothing was sent; it is tried again "+
		"at %s (%s)", system, b.since.UTC().Format(time.RFC3339), b.until.UTC().Format(time.RFC3339), b.reason)
	f.RetryAfter = max(0, time.Until(b.until))
	return f
}

// presence is what a call can say about whether its system is there.
type presence int

const (
	unknown presence = iota
	answered
	silent
)

// judge tells what the end of a call says about whether the system is there. A change that timed out is in doubt for a
// reason of its own, so it says nothing; whatever a system says about an account shows that it answers.
func judge(step string, code schemas.Code) presence {
	changes := step == string(schemas.StepReset) || step == string(schemas.StepRevoke)
	switch {
	case code == schemas.CodeUnavailable, code == schemas.CodeTimedOut && !changes:
		return silent
	case code == schemas.CodeTimedOut, code == schemas.CodeUnexpected:
		return unknown
	}
	return answered
}

// heard takes how a call ended.
func (b *breaker) heard(p presence, f *schemas.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch now := time.Now(); {
	case p == answered:
		b.failed = 0
		if b.state != StateClosed {
			b.log.Info().Dur("took", now.Sub(b.since)).Msg("the system answers again; calls to it go on")
			b.state, b.since, b.until, b.reason = StateClosed, now, time.Time{}, ""
		}
	case p == silent && b.state == StateClosed:
		if b.failed++; b.failed >= breakAfter {
			b.open(now, f)
		}
	case p == silent:
		b.reason = f.Detail
	}
}

// open keeps further calls back and begins with the trials. The caller holds mu.
func (b *breaker) open(now time.Time, f *schemas.Failure) {
	if b.life.Err() != nil {
		return
	}
	if now.Sub(b.since) > steadyAfter {
		b.pause = 0
	}
	b.state, b.since, b.reason = StateOpen, now, f.Detail
	b.plan(now, f.RetryAfter)
	b.log.Warn().Int("calls", b.failed).Str("detail", b.reason).Time("until", b.until).
		Msg("the system does not answer; no more calls are made until a probe of it succeeds")
	b.outage++
	outage := b.outage
	b.all.Go(func() { b.watch(outage) })
}

// plan sets the time of the next trial: later each time, and not before the system wants it.
func (b *breaker) plan(now time.Time, least time.Duration) {
	b.pause = min(max(2*b.pause, firstTrial), longTrial)
	b.until = now.Add(max(b.pause, min(least, longTrial)))
}

// watch tries the system until it answers.
func (b *breaker) watch(outage int) {
	for {
		b.mu.Lock()
		if b.state == StateClosed || b.outage != outage {
			b.mu.Unlock()
			return
		}
		b.state = StateOpen
		left := time.Until(b.until)
		b.mu.Unlock()
		timer := time.NewTimer(left)
		select {
		case <-b.life.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		b.mu.Lock()
		over := b.state == StateClosed || b.outage != outage
		if !over {
			b.state = StateHalfOpen
		}
		b.mu.Unlock()
		if over { // a call that was under way had its answer
			return
		}
		err := b.trial(b.life)
		var least time.Duration
		if f, ok := errors.AsType[*schemas.Failure](err); ok {
			least = f.RetryAfter
		}
		b.mu.Lock()
		if b.state != StateClosed && b.outage == outage {
			b.plan(time.Now(), least)
		}
		b.mu.Unlock()
	}
}

// stands tells how it stands.
func (b *breaker) stands() (state State, since, until time.Time, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.since, b.until, b.reason
}

// close ends the trials.
func (b *breaker) close() {
	b.end()
	b.all.Wait()
}
