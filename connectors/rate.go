package connectors

import (
	"math"
	"time"
)

// Rate is a number of calls in a time: {20, time.Second}, {600, time.Minute}. The zero value is no bound. A call is one
// call of a Connector.
type Rate struct {
	Count int
	Per   time.Duration
}

// span is the window in which a rate is kept, and slack is how much later than its turn a call may reach the system: what
// is sent at one end of a window may be slow, and at the other quick. Of slack, grace is for being called up, and the
// rest for the way to the system.
const (
	span  = time.Second
	slack = 12 * time.Millisecond
	grace = 8 * time.Millisecond
	way   = slack - grace
)

// slackIn is slack for a longer window, of which two thousandths are no loss to speak of.
func slackIn(per time.Duration) time.Duration { return max(slack, per/500) }

// every is the time between two turns, rounded up, or zero for no bound: so long that no second at the system sees more
// calls than the rate allows it (one at least), and no Per more than Count.
func (r Rate) every() time.Duration {
	if r.Count <= 0 || r.Per <= 0 {
		return 0
	}
	inSpan := math.Ceil(float64(r.Count) * float64(span) / float64(r.Per))
	return max(divide(r.Per+slackIn(r.Per), float64(r.Count)), divide(span+slack, inSpan))
}

// tolerance is how long after its time a turn is still good: grace, and more if no second can hold two of them anyway.
func (r Rate) tolerance() time.Duration {
	if r.every() <= span+slack {
		return grace
	}
	return slackIn(r.Per) - way
}

// inParts is the time between two turns for one of several replicas that each keep to a part of the rate on their own. What
// they do together in any second is within the rate, unless the rate has fewer calls a second than there are replicas.
func inParts(every time.Duration, parts int) time.Duration {
	whole := math.Floor(float64(span+slack) / float64(every) / float64(parts))
	if parts <= 1 || whole < 1 {
		return every * time.Duration(max(parts, 1))
	}
	return divide(span+slack, whole)
}

func divide(d time.Duration, by float64) time.Duration {
	return max(1, time.Duration(math.Ceil(float64(d)/by)))
}
