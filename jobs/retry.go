package jobs

import (
	"errors"
	"time"

	"github.com/resetd/resetd/schemas"
)

// The waits between attempts that end with a retryable code, in order; the last one repeats. Short at first, because
// most faults of a directory are a restart or a failover, and a thief is inside meanwhile.
var retryDelays = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute}

// leastAttempts is how often an enforcement is tried before its age can end the tries, and mostClaims how often it may be
// claimed at all: one that takes its worker's process down each time must not do so for ever.
const (
	leastAttempts = 5
	mostClaims    = 100
)

// backoff decides what follows an attempt that ended with an error: when to try again, whether the wait was asked for by
// the system (then it does not count), and whether there is another try at all.
func (t Timing) backoff(err error, n schemas.Enforcement, now time.Time) (delay time.Duration, waited, again bool) {
	if !schemas.CodeOf(err).Retryable() {
		return 0, false, false
	}
	age := now.Sub(n.StartedAt)
	few := n.Attempts < leastAttempts // a clock that was set forward must not end the tries
	delay = retryDelays[min(max(n.Attempts, 1), len(retryDelays))-1]
	if f, ok := errors.AsType[*schemas.Failure](err); ok && f.Code == schemas.CodeRateLimited {
		left := max(t.WaitFor-age, delay) // however long the system asks, the task ends in time
		return max(min(f.RetryAfter, left), delay), true, age < t.WaitFor || few
	}
	return delay, false, age < t.RetryFor || few
}
