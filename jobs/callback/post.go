package callback

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

const (
	// maxAnswer is how much of an answer's body is read, to be dropped. Reading it keeps the connection for the next one.
	maxAnswer = 16 << 10
	// maxDrain is how long that may take. The status line has decided by then.
	maxDrain = time.Second
)

// Post makes one attempt to deliver a body under an id, which is the same for every attempt: it asks the allow-list again,
// signs with all keys of the source at this moment, and posts without following redirects. It returns within the timeout
// of Options and the second that a body may take to arrive.
//
// The attempt's Error is empty when the receiver answered 2xx, else one of Classes; Detail tells a person what happened and
// what to do. The duration is how long the receiver asked to wait (Retry-After, at most MaxRetryAfter), or, for ClassBusy,
// when there may be room; zero if nobody said.
func (p *Poster) Post(ctx context.Context, source, url, id string, body []byte) (schemas.Attempt, time.Duration) {
	began := p.now()
	a, again := p.attempt(ctx, source, url, id, body)
	took := p.now().Sub(began)
	a.At, a.TookMS = began, took.Milliseconds()
	p.tell(source, id, a, took)
	return a, again
}

func (p *Poster) attempt(ctx context.Context, source, url, id string, body []byte) (schemas.Attempt, time.Duration) {
	o, known := p.outlets[source]
	if !known {
		return failed(ClassNotAllowed, "no callbacks are configured for this source any more; restore its callback settings, or let the callback go"), 0
	}
	t, err := o.permit(url)
	if err != nil {
		return failed(ClassNotAllowed, err.Error()), 0
	}
	lane := o.lanes[t.place()]
	if ok, wait := lane.enter(ctx, p.now); !ok {
		if ctx.Err() != nil {
			return classify(ctx, ctx.Err(), t), 0
		}
		return failed(ClassBusy, "other callbacks to "+t.place()+" are still waiting for an answer; this one was put back unsent"), wait
	}
	defer func(since time.Time) { lane.leave(p.now().Sub(since)) }(p.now())
	signed, err := signature.Sign(o.keys, id, p.now(), body)
	if err != nil {
		return failed(ClassSign, err.Error()), 0 // the signature package quotes no keys
	}
	return p.send(ctx, t, url, signed, body)
}

func (p *Poster) send(parent context.Context, t target, url string, signed signature.Headers, body []byte) (schemas.Attempt, time.Duration) {
	ctx, cancel := context.WithTimeout(parent, p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return failed(ClassNotAllowed, "the callback URL cannot be used"), 0 // parseTarget has let nothing of this kind through
	}
	signed.Set(req.Header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", p.agent)
	client := p.secure
	if t.scheme == "http" {
		client = p.plain
	}
	resp, err := client.Do(req)
	if err != nil {
		return classify(parent, err, t), 0
	}
	defer func() { _ = resp.Body.Close() }()
	// Hanging up makes some receivers end their work unfinished and say 200 to nobody. Such an answer can still slip in
	// behind the deadline; it must not count. A good one that comes as late is sent once more under the same id.
	if ctx.Err() != nil {
		return classify(parent, ctx.Err(), t), 0
	}
	drain := time.AfterFunc(maxDrain, cancel)
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // whatever comes, the status has been said
	drain.Stop()
	return judge(resp.StatusCode, t), retryAfter(resp, p.now())
}

func failed(class, detail string) schemas.Attempt {
	return schemas.Attempt{Error: class, Detail: detail}
}
