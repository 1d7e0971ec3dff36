package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// judge turns an answer into a result.
func (c *Client) judge(a *Answer) *schemas.Failure {
	if a.Status >= 200 && a.Status <= 299 {
		return c.decode(a)
	}
	if c.Explain != nil {
		if f := c.Explain(a); f != nil {
			return f
		}
	}
	return c.Usual(a)
}

// decode reads the answer of a success. One that cannot be read says nothing of whether a change was made.
func (c *Client) decode(a *Answer) *schemas.Failure {
	if a.Call.Into == nil {
		return c.unread(a)
	}
	err := json.Unmarshal(a.Body, a.Call.Into)
	switch {
	case err == nil:
		return nil
	case a.Call.changes():
		return schemas.Fail(schemas.CodeTimedOut, "%s: the answer cannot be read, so whether it was done is not known; see what stands between resetd and the system",
			c.at(a.Call)).Because(err)
	}
	return schemas.Fail(schemas.CodeUnavailable, "%s: the answer cannot be read (it is no JSON of the expected form); see whether the address is right and what stands between",
		c.at(a.Call)).Because(err)
}

// unread looks at an answer that nobody wants to read. A change was made if the system says so, and not because something in
// between, such as a proxy with a page to sign in on, says 200: that is no JSON, and systems say JSON or nothing.
func (c *Client) unread(a *Answer) *schemas.Failure {
	if text := bytes.TrimSpace(a.Body); !a.Call.changes() || len(text) == 0 || json.Valid(text) {
		return nil
	}
	return schemas.Fail(schemas.CodeTimedOut, "%s: the answer is none of the system's (HTTP %d, and no JSON), so whether it was done is not known; see what stands between resetd and the system",
		c.at(a.Call), a.Status)
}

// Foreign is the failure for a refusal that is not the system's own but of something in between: a proxy that blocks, or
// another server at a wrong address. It says nothing of an account or of a right, and nothing was done.
func (c *Client) Foreign(a *Answer) *schemas.Failure {
	return schemas.Fail(schemas.CodeUnavailable, "%s: the answer (HTTP %d) is none of the system's, and nothing was done; see whether the address is right, whether a proxy or firewall blocks it, "+
		"and what else stands between", c.at(a.Call), a.Status)
}

// Refuses tells the statuses by which what stands in between refuses too, although it knows neither accounts nor rights.
func (a *Answer) Refuses() bool {
	switch a.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// lostByAProxy tells whether a 503 may come from a proxy that handed the request on and lost the answer: it has neither a
// document of the system's own nor the time to come back, which systems that are down give.
func (a *Answer) lostByAProxy() bool { return a.Header.Get("Retry-After") == "" && !json.Valid(a.Body) }

// Usual gives what a status means as a rule (RFC 9110 §15). What a vendor means beyond that is for Explain, which may
// call this for the rest.
func (c *Client) Usual(a *Answer) *schemas.Failure {
	at := c.at(a.Call)
	switch {
	case a.Refuses() && len(a.Body) > 0 && !json.Valid(a.Body):
		return c.Foreign(a)
	case a.Status >= 300 && a.Status <= 399:
		return schemas.Fail(schemas.CodeUnexpected, "%s: the address leads elsewhere (HTTP %d); correct it in the settings of the system %s", at, a.Status, c.System)
	case a.Status == http.StatusUnauthorized:
		return schemas.Fail(schemas.CodeBadCredentials, "%s: the system refuses resetd's own credentials (HTTP 401); renew them in the settings of the system %s", at, c.System)
	case a.Status == http.StatusForbidden:
		return schemas.Fail(schemas.CodePermissionMissing, "%s: resetd's account may not do that (HTTP 403)", at)
	case a.Status == http.StatusNotFound:
		return schemas.Fail(schemas.CodeAccountNotFound, "%s: there is nothing of that id (HTTP 404)", at)
	case a.Status == http.StatusTooManyRequests:
		return c.Busy(a, RetryAfter(a.Header, time.Now()))
	case a.Status == http.StatusServiceUnavailable && !(a.Call.changes() && a.lostByAProxy()):
		f := schemas.Fail(schemas.CodeUnavailable, "%s: the system says that it is not available (HTTP 503)", at)
		f.RetryAfter = RetryAfter(a.Header, time.Now())
		return f
	case a.Status >= 500 && a.Call.changes():
		return schemas.Fail(schemas.CodeTimedOut, "%s: the system failed (HTTP %d), and whether it was done is not known", at, a.Status)
	case a.Status >= 500:
		return schemas.Fail(schemas.CodeUnavailable, "%s: the system failed (HTTP %d)", at, a.Status)
	}
	return schemas.Fail(schemas.CodeUnexpected, "%s: HTTP %d, which is not understood here; see the system's own log", at, a.Status)
}

// Busy is the failure for a system that asks for a pause, whatever the status was by which it did so.
func (c *Client) Busy(a *Answer, wait time.Duration) *schemas.Failure {
	f := schemas.Fail(schemas.CodeRateLimited, "%s: the system asks to be called less often; nothing was done", c.at(a.Call))
	f.RetryAfter = wait
	return f
}

// Failure makes one that begins with what was being done, for Explain.
func (c *Client) Failure(a *Answer, code schemas.Code, text string) *schemas.Failure {
	return schemas.Fail(code, "%s: %s", c.at(a.Call), text)
}

// RetryAfter reads the header of that name: seconds, or a date, which is reckoned from the answer's own Date so that a
// clock that differs does no harm (RFC 9110 §10.2.3). It is zero without one, and at most a day.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 {
		return bounded(time.Duration(min(seconds, most.Seconds()) * float64(time.Second)))
	}
	if at, err := http.ParseTime(text); err == nil {
		return bounded(at.Sub(serverTime(h, now)))
	}
	return 0
}

// UntilEpoch gives the wait until a moment in seconds since 1970, as X-Rate-Limit-Reset tells it, by the answer's own clock.
// It is zero for a header that is not there or in the past, and at most a day.
func UntilEpoch(h http.Header, name string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	here := serverTime(h, now)
	switch {
	case err != nil:
		return 0
	case seconds > here.Unix()+int64(most/time.Second): // far beyond, where a difference of times would overflow
		return most
	}
	return bounded(time.Unix(seconds, 0).Sub(here))
}

func serverTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// most is the longest wait that is believed.
const most = 24 * time.Hour

func bounded(d time.Duration) time.Duration { return max(0, min(d, most)) }
