package connectors

import "time"

// State tells whether calls to a system go through.
type State string

// The states of a system.
const (
	StateClosed   State = "closed"    // calls go through
	StateOpen     State = "open"      // the system does not answer, and is not called until a probe succeeds
	StateHalfOpen State = "half_open" // that probe is under way
	StatePaused   State = "paused"    // the system has asked for a pause
)

// states lists them, for metrics.
var states = []State{StateClosed, StateOpen, StateHalfOpen, StatePaused}

// Condition is how a system stands at present, as this replica sees it.
type Condition struct {
	State State
	Since time.Time // when it came about; zero if it was so from the beginning
	Until time.Time // when the pause ends, or the system is tried again; zero while closed
	// Reason is why it is not closed, for a person.
	Reason string
	// Share is how much of its pace the system gets, from 0 to 1: less than 1 after it said that it is nearly used up.
	Share float64
}

// condition looks at the breaker first: a system that does not answer is not called after the pause either.
func (s *system) condition() Condition {
	state, since, until, reason := s.breaker.stands()
	now := time.Now()
	c := Condition{State: state, Since: since, Until: until, Reason: reason, Share: s.pace.speed(now)}
	if state != StateClosed {
		return c
	}
	if since, until, on := s.pace.paused(now); on {
		c.State, c.Since, c.Until, c.Reason = StatePaused, since, until, "the system asked to be called less often"
	}
	return c
}

// Held tells until when no new work of a system need be begun: the end of a pause that it asked for, or, with silent, the
// next trial of one that does not answer, which may be over or fail. It is the zero time when calls go through, and for an
// unknown system.
func (s *Set) Held(system string) (until time.Time, silent bool) {
	one := s.systems[system]
	if one == nil {
		return time.Time{}, false
	}
	c := one.condition()
	return c.Until, c.State == StateOpen || c.State == StateHalfOpen
}

// PaceBy has the replicas share rates and pauses. Call it before the first call of a system.
func (s *Set) PaceBy(p Pacer) {
	for _, one := range s.systems {
		one.pace.mu.Lock()
		one.pace.pacer = p
		one.pace.mu.Unlock()
	}
}

// speed is the share of the pace that the system gets.
func (p *pace) speed(now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pacer != nil && p.every > 0 && !p.alone {
		return min(p.share, p.throttle.now(now))
	}
	return p.throttle.now(now)
}
