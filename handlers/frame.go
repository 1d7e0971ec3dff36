package handlers

import (
	"errors"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// call is one request on its way through the face, with what its log line will tell. It is used again for another
// request, with its buffers.
type call struct {
	*gin.Context
	caller string // token:<name>, once the token is known
	source string // once it is known to be one of ours
	task   string // the (first) task that came of it
	code   string // accepted, replayed, done, or the name of the problem
	reason string // why a signature was refused
	waited bool   // the caller asked to wait for the end of the task
	in     []byte // the request's body
	out    []byte // the answer's
}

// frame is what surrounds each handler: headers, size, token, errors, metrics, log line, recovery from a panic.
func (f *Face) frame(r route, method string) gin.HandlerFunc {
	took := f.metrics.route(r.path, method)
	return func(g *gin.Context) {
		began := time.Now()
		c := f.calls.Get().(*call)
		*c = call{Context: g, code: "done", in: c.in[:0], out: c.out[:0]}
		defer func() {
			if v := recover(); v != nil {
				f.recovered(c, r, v)
			}
			d := time.Since(began)
			took(c, d)
			if r.path == hookPath {
				f.metrics.delivery(c)
			}
			f.tell(c, r, d)
			f.recycle(c)
		}()
		secure(g.Writer.Header())
		err := limitDeclared(c)
		if err == nil {
			err = f.authorize(c, r.need)
		}
		if err == nil {
			err = r.handle(c)
		}
		if err != nil {
			f.fail(c, r, err)
		}
	}
}

// The headers of every answer. None of them is to be kept, shown in a frame, or taken for something else.
var (
	noSniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
	noScript = []string{"default-src 'none'; frame-ancestors 'none'"}
)

func secure(h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	h["Content-Security-Policy"] = noScript
}

// recycle keeps the call for another request, unless its buffers grew large.
func (f *Face) recycle(c *call) {
	if cap(c.in) > keepBuffer {
		c.in = nil
	}
	if cap(c.out) > keepBuffer {
		c.out = nil
	}
	c.Context = nil
	f.calls.Put(c)
}

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
	case r.method == http.MethodPost:
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
		e = e.Str("client", c.ClientIP())
	}
	e.Msg("request")
}

// authorize lets the call through when its token has the role needed, and answers 401 or 403 otherwise (RFC 6750 §3).
func (f *Face) authorize(c *call, need Role) error {
	if need == Anyone {
		return nil
	}
	token, ok := f.Tokens.identify(c.Request.Header)
	if !ok {
		challenge := `Bearer realm="resetd"`
		if len(c.Request.Header["Authorization"]) > 0 {
			challenge += `, error="invalid_token"`
		}
		c.Header("WWW-Authenticate", challenge)
		return schemas.NewProblem(http.StatusUnauthorized, "unauthorized", "A token is needed",
			"Send one of the tokens under api in the configuration, once, as: Authorization: Bearer <token>.")
	}
	c.caller = token.actor
	if token.role < need {
		c.Header("WWW-Authenticate", `Bearer realm="resetd", error="insufficient_scope", scope="`+need.String()+`"`)
		return schemas.NewProblem(http.StatusForbidden, "role_too_low", "The token's role does not allow this",
			"This needs the role "+need.String()+"; the token "+strings.TrimPrefix(token.actor, "token:")+" is "+token.role.String()+".")
	}
	return nil
}

func (f *Face) noRoute(*call) error {
	return schemas.NewProblem(http.StatusNotFound, "unknown_path", "There is nothing at this path",
		"The paths are listed in /openapi.yaml; none of them ends with a slash.")
}

func (f *Face) noMethod(c *call) error {
	return schemas.NewProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This path does not take this method",
		"It takes "+c.Writer.Header().Get("Allow")+".")
}
