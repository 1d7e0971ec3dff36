package callback

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
)

const (
	// maxAnswer is how much of an answer's body is read, to be dropped. Reading it keeps the connection for the next one.
	maxAnswer = 16 << 10
	// maxDrain is how long that may take. The status line has decided by then.
	maxDrain = time.Second
	// maxVerdict is how much of a body is read on which the verdict depends; some tools answer with the whole ticket.
	maxVerdict = 1 << 20
)

// outgoing is one request, whole.
type outgoing struct {
	method string
	url    string
	header http.Header
	body   []byte // nil for none
	reads  bool   // the body of a good answer is part of the verdict
}

// incoming is the answer to it.
type incoming struct {
	status int
	body   []byte        // whole where the request reads it, else no more than maxAnswer
	again  time.Duration // how long the receiver asks to wait
}

// exchange makes one request, within ctx. Without an answer there is an attempt that says why; parent is the context that
// the caller may cancel.
func (p *Poster) exchange(ctx, parent context.Context, t target, out outgoing) (incoming, *schemas.Attempt) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	broken := func(err error) (incoming, *schemas.Attempt) {
		a := classify(parent, err, t)
		return incoming{}, &a
	}
	var body io.Reader
	if out.body != nil {
		body = bytes.NewReader(out.body)
	}
	req, err := http.NewRequestWithContext(ctx, out.method, out.url, body)
	if err != nil {
		a := failed(ClassNotAllowed, "the callback URL cannot be used") // parseTarget has let nothing of this kind through
		return incoming{}, &a
	}
	req.Header = out.header
	req.Header.Set("User-Agent", p.agent)
	client := p.secure
	if t.scheme == "http" {
		client = p.plain
	}
	resp, err := client.Do(req)
	if err != nil {
		return broken(err)
	}
	defer func() { _ = resp.Body.Close() }()
	// Hanging up makes some receivers end their work unfinished and say 200 to nobody. Such an answer can still slip in
	// behind the deadline; it must not count. A good one that comes as late is sent once more under the same id.
	if ctx.Err() != nil {
		return broken(ctx.Err())
	}
	in := incoming{status: resp.StatusCode, again: retryAfter(resp, p.now())}
	if out.reads && in.status >= 200 && in.status < 300 {
		in.body, err = io.ReadAll(io.LimitReader(resp.Body, maxVerdict))
		if ctx.Err() != nil { // an end that our hanging up brought about is none either
			err = ctx.Err()
		}
		if err != nil {
			return broken(err)
		}
		return in, nil
	}
	drain := time.AfterFunc(maxDrain, cancel)
	defer drain.Stop()
	in.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // whatever comes, the status has been said
	return in, nil
}
