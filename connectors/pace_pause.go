package connectors

import (
	"context"
	"slices"
	"time"

	"github.com/resetd/resetd/schemas"
)

// patience is for how long of a pause a call waits where it is. One that is longer is for the jobs to wait out, which costs
// an event in the task's history.
const patience = 15 * time.Second

// longestPause bounds what a system may ask for at a time; after it the system is asked again.
const longestPause = time.Hour

// nearlyUsed is the share of its allowance from which on a system is called less often.
const nearlyUsed = 0.8

// hint takes what the system says beside an answer.
func (p *pace) hint(h Hint) {
	p.hold(h.Pause, h.Used >= nearlyUsed, "the system's allowance is used up")
}

// heard takes how a call ended: a system that asks for a pause is left alone by all. The failure's wait becomes that of the
// pause, so that whoever defers the work knows when to come back.
func (p *pace) heard(f *schemas.Failure) {
	if f == nil || f.Code != schemas.CodeRateLimited {
		p.mu.Lock()
		if p.busy > 0 && !time.Now().Before(p.held) {
			p.busy = 0
		}
		p.mu.Unlock()
		return
	}
	pause := f.RetryAfter
	if pause <= 0 {
		pause = p.guess()
	}
	p.hold(pause, true, "the system asked for a pause")
	f.RetryAfter = min(pause, longestPause)
}

// guess gives a pause for a system that named none: a second, and twice as long each time in a row, up to half a minute.
func (p *pace) guess() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.held) {
		return p.held.Sub(now) // the answers of calls that were under way
	}
	p.busy++
	return min(time.Second<<min(p.busy-1, 5), 30*time.Second)
}

// hold begins a pause, or a slower pace, here and at the other replicas.
func (p *pace) hold(pause time.Duration, slower bool, why string) {
	now := time.Now()
	pause = min(pause, longestPause)
	p.mu.Lock()
	slower = slower && p.slow(now)
	longer := p.rest(now.Add(pause), now)
	pacer := p.pacer
	p.mu.Unlock()
	if longer {
		p.metrics.pauses.WithLabelValues(p.system).Inc()
		p.log.Info().Dur("pause", pause).Str("reason", why).Msg("the system is left alone for a while; its work waits")
	}
	if pacer == nil || !longer && !slower {
		return
	}
	if !longer {
		pause = 0
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), askLimit)
		defer cancel()
		if err := pacer.Hold(ctx, p.system, pause, slower); err != nil {
			p.log.Debug().Err(err).Msg("cannot tell the other replicas to spare the system; each finds out by itself")
		}
	}()
}

// slow lowers the pace. It tells whether it did. The caller holds mu.
func (p *pace) slow(now time.Time) bool {
	if !p.throttle.slow(now) {
		return false
	}
	if p.every == 0 && p.learned == 0 {
		p.learned = divide(span, max(1, p.recent.count(now)))
	}
	return true
}

// rest begins or lengthens a pause. It tells whether that changed anything to speak of. The caller holds mu.
func (p *pace) rest(until, now time.Time) bool {
	if until.Sub(now) <= 0 || until.Sub(p.held) < 100*time.Millisecond {
		return false
	}
	if !now.Before(p.held) {
		p.since = now
	}
	p.held = until
	p.turns = slices.DeleteFunc(p.turns, func(t turn) bool { return t.from.Before(until) })
	p.own.rest(until)
	if p.running {
		p.wake()
	}
	return true
}

// paused gives the pause that is on, if one is.
func (p *pace) paused(now time.Time) (since, until time.Time, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.since, p.held, now.Before(p.held)
}
