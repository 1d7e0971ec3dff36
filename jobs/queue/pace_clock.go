package queue

import "time"

// drift is how fast two clocks may part: 200 µs a second is more than ntpd ever corrects in passing.
const drift = 200 * time.Microsecond

// clock translates times of Redis into times of this process. Each answer shows Redis's time at some moment between
// question and answer, so the difference of the clocks lies between two bounds; the quickest answers bound it best.
type clock struct {
	began    time.Time // of this process's steady clock
	low, top time.Duration
	at       time.Duration // of the last reading
}

// read takes what Redis's clock (since 1970) showed between two moments.
func (c *clock) read(redis time.Duration, sent, received time.Time) {
	low, top := redis-received.Sub(c.began), redis-sent.Sub(c.began)
	now := received.Sub(c.began)
	apart := time.Duration(float64(drift) * (now - c.at).Seconds())
	if c.at > 0 && max(low, c.low-apart) <= min(top, c.top+apart) {
		low, top = max(low, c.low-apart), min(top, c.top+apart)
	} // else this is the first reading, or a clock was set
	c.low, c.top, c.at = low, top, now
}

// local gives the moment at which Redis's clock shows a time.
func (c *clock) local(redis time.Duration) time.Time {
	return c.began.Add(redis - (c.low + (c.top-c.low)/2))
}
