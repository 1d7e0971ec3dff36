package connectors

import "time"

// turn is the permission for one call: from when on, and until when it is good. A call that comes too late to use it must
// take another, or it would stand too close to those behind it.
type turn struct{ from, until time.Time }

// schedule gives out turns so that no window of span sees more than span/every of them, whatever came before.
//
// Turns follow each other at equal distances. After a time without calls as many turns as would have fitted into it, up to
// a span, may be taken early; but they are borrowed from what comes next and not added to it, as the burst of a token
// bucket would be: a burst of a whole second is followed by a second of silence. Why that suffices: no call comes later
// than its place in the sequence, so the calls of a window have their places inside it, except for the early ones of the
// last burst; and those are no more than the places left empty before the burst, which are in the window too.
//
// The zero value begins with nothing to borrow. The same arithmetic is in the script of jobs/queue/pace_script.go.
type schedule struct {
	next  time.Time // the place of the next turn
	early time.Time // turns whose place ends before may be taken early
}

// take gives the next n turns, each good for a time after its place.
func (s *schedule) take(now time.Time, every, good time.Duration, n int) []turn {
	if !now.Before(s.next) {
		idle := span + slack
		if s.next.IsZero() {
			idle = 0
		}
		s.early, s.next = now.Add(min(idle, now.Sub(s.next))), now
	}
	out := make([]turn, n)
	for i := range out {
		from := s.next
		s.next = s.next.Add(every)
		out[i] = turn{from: from, until: from.Add(good)}
		if !s.next.After(s.early) {
			out[i].from = now
		}
	}
	return out
}

// rest lets no turn be before a moment, and nothing be taken early there.
func (s *schedule) rest(until time.Time) {
	if s.next.Before(until) {
		s.next, s.early = until, time.Time{}
	}
}

// begin lets the sequence begin anew now, because its turns could not be used in time.
func (s *schedule) begin(now time.Time) { s.next, s.early = now, time.Time{} }

// ring remembers when the last calls were let through. Whoever is the only one to call can use turns late by it: the busy
// second that follows is seen, and paid for a second later by those calls alone and not by a lost turn each.
type ring struct {
	at   []time.Time
	next int
}

// newRing makes one for a distance between turns.
func newRing(every time.Duration) ring {
	return ring{at: make([]time.Time, max(1, min(mostRing, int((span+slack)/every))))}
}

// mostRing bounds the memory; at so many calls a second nobody counts any more.
const mostRing = 100_000

// ready is when the next call may go without a busy second, seen from the system.
func (r *ring) ready() time.Time {
	if oldest := r.at[r.next]; !oldest.IsZero() {
		return oldest.Add(span + way)
	}
	return time.Time{}
}

// add notes a call and gives where, for the moment at which it really went.
func (r *ring) add(now time.Time) *time.Time {
	at := &r.at[r.next]
	*at = now
	r.next = (r.next + 1) % len(r.at)
	return at
}

// How a system that says it is nearly used up is spared: its pace falls by a factor, at most once in a time, and recovers by
// a share of the whole in each second without such a hint (additive increase, multiplicative decrease).
const (
	slowFactor = 0.7
	slowLeast  = 0.1
	slowEvery  = 2 * time.Second
	recovery   = 0.05
)

// throttle is the share of its pace that a system is called at. The zero value is the whole.
type throttle struct {
	share float64   // at the moment of at
	at    time.Time // when it was last lowered
}

// now gives the share at a moment, from slowLeast to 1.
func (t throttle) now(at time.Time) float64 {
	if t.at.IsZero() {
		return 1
	}
	return min(1, t.share+recovery*at.Sub(t.at).Seconds())
}

// slow lowers the share, unless that was done a moment ago. It tells whether it did.
func (t *throttle) slow(at time.Time) bool {
	if !t.at.IsZero() && at.Sub(t.at) < slowEvery {
		return false
	}
	t.share, t.at = max(slowLeast, t.now(at)*slowFactor), at
	return true
}

// stretch gives the distance between turns at a share of the pace.
func stretch(every time.Duration, share float64) time.Duration { return divide(every, share) }
