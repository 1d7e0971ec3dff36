package callback

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/resetd/resetd/jobs/callback/format"
	"github.com/resetd/resetd/schemas"
)

// converse makes the requests of a template, in their order, and stops at the first that fails. Those that were taken
// before are left out; their names, and those that are taken now, are kept in the attempt. All requests share the time of
// one attempt.
//
// A refusal is tried again by the same schedule as any failure, also one that looks permanent. Receivers say 401 and 403
// until somebody renews a token, 404 while a ticket cannot be seen, 400 while a transition is not possible: each of them
// is put right by people within the hours that the schedule lasts, and no status tells this from the rest.
func (p *Poster) converse(parent context.Context, o *outlet, t target, talk *format.Talk, c schemas.Callback) (schemas.Attempt, time.Duration) {
	ctx, cancel := context.WithTimeout(parent, p.timeout)
	defer cancel()
	done := slices.Clone(c.Done())
	last := schemas.Attempt{}
	for _, name := range talk.Left(done) {
		a, again := p.step(ctx, parent, o, t, talk, name, c.ID)
		if a.Error != "" {
			if talk.Several() && a.Error != ClassInterrupted {
				a.Detail = "the request " + name + ": " + a.Detail
			}
			a.Done = done
			return a, again
		}
		last = a
		if !talk.Asks(name) {
			done = append(done, name)
		}
	}
	return last, 0
}

// step makes one request of a template.
func (p *Poster) step(ctx, parent context.Context, o *outlet, t target, talk *format.Talk, name, id string) (schemas.Attempt, time.Duration) {
	r, err := talk.Request(name)
	if err != nil {
		if _, ok := errors.AsType[*format.Unaddressed](err); ok {
			return failed(ClassNoReference, err.Error()), 0
		}
		return failed(ClassSign, err.Error()), 0
	}
	out := outgoing{method: r.Method, header: r.Header, body: r.Body, reads: r.Reads}
	if out.url, err = o.locate(r.Address); err != nil {
		return failed(ClassNoReference, err.Error()), 0
	}
	if talk.Several() {
		id += "_" + name
	}
	if len(o.keys) > 0 {
		if a := p.sign(o, id, &out); a != nil {
			return *a, 0
		}
	}
	o.format.Authorize(out.header)
	in, broken := p.exchange(ctx, parent, t, out)
	if broken != nil {
		return *broken, 0
	}
	a := judge(in.status, t, toolHints)
	hint := talk.Hint(r, in.status, in.body)
	switch {
	case a.Error == ClassStatus && hint != "":
		a.Detail = saying(in.status, t) + "; " + hint
	case a.Error == "":
		if fault := talk.Verdict(r, in.body); fault != "" {
			a.Error, a.Detail = ClassAnswer, saying(in.status, t)+", but "+fault
			if hint != "" {
				a.Detail += "; " + hint
			}
		}
	}
	return a, in.again
}
