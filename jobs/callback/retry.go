package callback

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest wait that a receiver is granted; the schedule's own longest.
const MaxRetryAfter = 12 * time.Hour

// jitter is the part by which a delay is moved at random, up or down, so that callbacks that failed together do not come
// back together.
const jitter = 0.2

// The delay before each attempt: 28 hours in all, so that a receiver that is down over night misses nothing.
var schedule = [...]time.Duration{0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour}

// MaxAttempts is how many attempts are counted before a callback is given up.
const MaxAttempts = len(schedule)

// NextDelay gives the wait before the next attempt after made attempts that count, or false when all are used up and the
// callback is a dead letter. It is the schedule's delay moved by up to 20 % either way, and at least retryAfter. rnd is a
// random number in [0, 1).
func NextDelay(made int, retryAfter time.Duration, rnd float64) (time.Duration, bool) {
	if made >= MaxAttempts {
		return 0, false
	}
	delay := float64(schedule[max(made, 0)]) * (1 - jitter + 2*jitter*rnd)
	return max(time.Duration(delay), min(retryAfter, MaxRetryAfter)), true
}

// retryAfter reads the header of an answer other than 2xx, in whole seconds or as an HTTP date (RFC 9110 §10.2.3), as a
// wait from 0 to MaxRetryAfter. What is neither is no wish.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	text := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if text == "" || resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds > int(MaxRetryAfter/time.Second) { // a number too large to read is a long wait too
			return MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter)
}
