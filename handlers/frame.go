package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/resetd/resetd/handlers/source"
)

// call is one request on its way through the face, with what its log line will tell. It is used again for another
// request, with its buffers.
type call struct {
	*gin.Context
	caller string         // token:<name>, once the token is known
	role   Role           // of that token
	source string         // once it is known to be one of ours
	task   string         // the (first) task that came of it
	code   string         // accepted, replayed, done, or the name of the problem
	reason string         // why a delivery was not proved
	set    string         // the same in the words of RFC 8935, for those who send security event tokens
	src    *source.Source // what a delivery is for, once it is known to be one of ours
	waited bool           // the caller asked to wait for the end of the task
	in     []byte         // the request's body
	out    []byte         // the answer's
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
			if r.hook() {
				f.received(c)
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
	c.Context, c.src = nil, nil
	f.calls.Put(c)
}
