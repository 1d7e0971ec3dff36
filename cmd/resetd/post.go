package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

const (
	// postAttempts is how often a delivery is tried; the waits between are firstPause, twice that, and so on.
	postAttempts = 5
	firstPause   = 250 * time.Millisecond
	// longestPause bounds what a Retry-After can ask for: beyond it a person decides.
	longestPause = 30 * time.Second
)

// delivery is one signed message to a source. It keeps its id over all attempts, so that however often it arrives, it is
// one request; it is signed anew each time, since the time of the attempt is signed too.
type delivery struct {
	source string
	id     string
	body   []byte
	key    signature.Key
	notes  io.Writer // where a failed attempt is told
	pause  func(ctx context.Context, d time.Duration) error
}

// post delivers, and gives the answer as soon as it is not one to try again.
func (d delivery) post(ctx context.Context, c *client) (answer, error) {
	path := "/v1/hooks/" + url.PathEscape(d.source)
	for n := 1; ; n++ {
		h, err := signature.Sign([]signature.Key{d.key}, d.id, time.Now(), d.body)
		if err != nil {
			return answer{}, &exit{exitUsage, errors.New(keyDetail(err))}
		}
		header := http.Header{"Content-Type": {"application/json"}}
		h.Set(header)
		got, err := c.send(ctx, http.MethodPost, path, header, d.body, 0)
		again, why := transient(got, err)
		if !again || n == postAttempts || ctx.Err() != nil {
			if err != nil {
				return got, c.unreachable(ctx, err)
			}
			return got, nil
		}
		wait := max(firstPause<<(n-1), retryAfter(got.header, time.Now()))
		if wait > longestPause {
			return got, err
		}
		fmt.Fprintf(d.notes, "%s; trying again in %s (attempt %d of %d)\n", why, wait.Round(10*time.Millisecond), n+1, postAttempts)
		if err := d.pause(ctx, wait); err != nil {
			return got, c.unreachable(ctx, err)
		}
	}
}

// transient tells whether the same message may well be taken a moment later, and what stood in the way.
func transient(got answer, err error) (bool, string) {
	if err != nil {
		var timeout net.Error
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			return true, "connection refused"
		case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return true, "the connection broke off"
		case errors.As(err, &timeout) && timeout.Timeout():
			return true, "no answer in time"
		}
		return false, ""
	}
	switch got.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, "the answer was " + strconv.Itoa(got.status)
	}
	return false, ""
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3): seconds, or a date. Zero when it is not there or not readable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// pause waits, or gives the error of the context that ended first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
