package callback

import (
	"context"
	"net/http"
	"time"

	"github.com/resetd/resetd/jobs/callback/format"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// Post makes one attempt to deliver a callback, whose id is the same for every attempt: it asks the allow-list again, says
// in the format of the source how the task stands, signs with all keys of the source at this moment or logs in as the
// format wants it, and posts without following redirects. It returns within the timeout of Options and the second that a
// body may take to arrive.
//
// The attempt's Error is empty when the receiver took it all, else one of Classes; Detail tells a person what happened and
// what to do, and Done which requests were taken nevertheless. The duration is how long the receiver asked to wait
// (Retry-After, at most MaxRetryAfter), or, for ClassBusy, when there may be room; zero if nobody said.
func (p *Poster) Post(ctx context.Context, c schemas.Callback, t schemas.Task) (schemas.Attempt, time.Duration) {
	began := p.now()
	a, again := p.attempt(ctx, c, t)
	took := p.now().Sub(began)
	if a.Error != "" && a.Done == nil {
		a.Done = c.Done() // a failure of another kind must not make us forget what was delivered
	}
	a.At, a.TookMS = began, took.Milliseconds()
	p.tell(c.Source, c.ID, a, took)
	return a, again
}

func (p *Poster) attempt(ctx context.Context, c schemas.Callback, told schemas.Task) (schemas.Attempt, time.Duration) {
	o, known := p.outlets[c.Source]
	if !known {
		return failed(ClassNotAllowed, "no callbacks are configured for this source any more; restore its callback settings, or let the callback go"), 0
	}
	t, err := o.permit(c.URL)
	if err != nil {
		return failed(ClassNotAllowed, err.Error()), 0
	}
	event := format.Event{ID: c.ID, Task: told, Public: p.public}
	var talk *format.Talk
	if o.format != nil {
		if talk, err = o.format.Talk(event); err != nil {
			return failed(ClassNoReference, err.Error()), 0
		}
	}
	lane := o.lanes[t.place()]
	if ok, wait := lane.enter(ctx, p.now); !ok {
		if ctx.Err() != nil {
			return classify(ctx, ctx.Err(), t), 0
		}
		return failed(ClassBusy, "other callbacks to "+t.place()+" are still waiting for an answer; this one was put back unsent"), wait
	}
	defer func(since time.Time) { lane.leave(p.now().Sub(since)) }(p.now())
	if talk != nil {
		return p.converse(ctx, o, t, talk, c)
	}
	return p.message(ctx, o, t, c.URL, event)
}

// message sends resetd's own message, or the CloudEvent of it, signed.
func (p *Poster) message(parent context.Context, o *outlet, t target, url string, e format.Event) (schemas.Attempt, time.Duration) {
	write, media := format.Standard, format.TypeStandard
	if o.cloud {
		write, media = format.CloudEvent, format.TypeCloudEvents
	}
	body, err := write(e)
	if err != nil {
		return failed(ClassSign, "the message cannot be written as JSON: one of its times lies outside the years 0 to 9999"), 0
	}
	out := outgoing{method: http.MethodPost, url: url, header: http.Header{}, body: body}
	if a := p.sign(o, e.ID, &out); a != nil {
		return *a, 0
	}
	out.header.Set("Content-Type", media)
	ctx, cancel := context.WithTimeout(parent, p.timeout)
	defer cancel()
	in, broken := p.exchange(ctx, parent, t, out)
	if broken != nil {
		return *broken, 0
	}
	return judge(in.status, t, hints), in.again
}

// sign puts the headers of Standard Webhooks on a request, or gives the attempt that failed with it.
func (p *Poster) sign(o *outlet, id string, out *outgoing) *schemas.Attempt {
	signed, err := signature.Sign(o.keys, id, p.now(), out.body)
	if err != nil {
		a := failed(ClassSign, err.Error()) // the signature package quotes no keys
		return &a
	}
	signed.Set(out.header)
	return nil
}

func failed(class, detail string) schemas.Attempt {
	return schemas.Attempt{Error: class, Detail: detail}
}
