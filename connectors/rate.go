package connectors

import (
	"context"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/resetd/resetd/schemas"
)

// Rate is a number of calls in a time: {20, time.Second}, {600, time.Minute}. The zero value is no bound.
type Rate struct {
	Count int
	Per   time.Duration
}

// limiter gives nil for no bound. The burst is what fits into a second, and at least one call.
func (r Rate) limiter() *rate.Limiter {
	if r.Count <= 0 || r.Per <= 0 {
		return nil
	}
	perSecond := float64(r.Count) / r.Per.Seconds()
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(math.Ceil(perSecond))))
}

// wait lets the call through when the rate allows it. A wait that would outlast the context fails at once, and says how
// long it would have been.
func (s *system) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return schemas.Fail(schemas.CodeTimedOut, "the call was given up before it was made; nothing was sent").Because(err)
	}
	if s.limiter == nil {
		return nil
	}
	turn := s.limiter.Reserve()
	delay := turn.Delay()
	if end, ok := ctx.Deadline(); ok && time.Until(end) < delay {
		turn.Cancel()
		return &schemas.Failure{Code: schemas.CodeRateLimited, RetryAfter: delay,
			Detail: "the configured rate of the system " + s.Name + " is used up; nothing was sent"}
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return schemas.Fail(schemas.CodeTimedOut, "the call was given up while it waited for the system's rate; nothing was sent").Because(ctx.Err())
	}
}
