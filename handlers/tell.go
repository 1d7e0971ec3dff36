package handlers

import (
	"errors"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
)

// recovered answers for a handler that panicked. The log gets the stack, and of the value what cannot hold anything that
// came from outside.
func (f *Face) recovered(c *call, r route, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	e := f.Logger.Error().Str("route", r.path).Str("task", c.task).Str("source", c.source)
	if err, ok := v.(runtime.Error); ok {
		e = e.Str("panic", err.Error())
	} else {
		e = e.Type("panic", v)
	}
	e.Bytes("stack", debug.Stack()).Msg("a handler panicked; this is a bug, please report it with the stack")
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	f.fail(c, r, errPanicked)
}

// tell writes the log line. Reading is told at debug level; what strangers can cause is told at a bounded rate.
func (f *Face) tell(c *call, r route, took time.Duration) {
	var e *zerolog.Event
	status := c.Writer.Status()
	switch {
	case status >= 400:
		e = f.refusal.Warn()
	case r.method != http.MethodGet:
		e = f.Logger.Info()
	default:
		e = f.Logger.Debug()
	}
	if e == nil {
		return
	}
	e = e.Str("task", c.task).Str("source", c.source).Str("code", c.code).Dur("took", took).Str("route", r.path).Int("status", status)
	if c.caller != "" {
		e = e.Str("caller", c.caller)
	}
	if c.reason != "" {
		e = e.Str("reason", c.reason)
	}
	if status >= 400 {
		e = e.Str("client", f.seen(c))
	}
	e.Msg("request")
}
