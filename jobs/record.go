package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// failed turns an error into the event that ends the attempt: a deferral if trying again may help, or the final one.
func (r *run) failed(ctx context.Context, err error) schemas.Event {
	if ctx.Err() != nil { // ours, not the system's: the process stops or the claim is lost
		return schemas.Event{}
	}
	now, code, detail := r.svc.Now(), schemas.CodeOf(err), detailOf(err)
	delay, waited, again := r.svc.Timing.backoff(err, r.n, now)
	switch {
	case again:
		return schemas.Event{Type: schemas.EventDeferred, Code: code, Detail: detail, DueAt: now.Add(delay), Waited: waited}
	case code.Retryable():
		return schemas.Event{Type: schemas.EventFailed, Code: code,
			Detail: fmt.Sprintf("%s; given up after %d attempts in %s; retry the task when the system is back", detail, r.n.Attempts, now.Sub(r.n.StartedAt).Round(time.Second))}
	case code == schemas.CodeAccountNotFound:
		return schemas.Event{Type: schemas.EventNotFound, Code: code, Detail: detail}
	case code == schemas.CodeNotApplicable:
		return schemas.Event{Type: schemas.EventNotApplicable, Code: code, Detail: detail}
	}
	return schemas.Event{Type: schemas.EventFailed, Code: code, Detail: detail}
}

// How often the end of an attempt is offered to a ledger that does not take it. The claim is renewed meanwhile; if all
// fail, the claim runs out and the next worker verifies what was done.
const recordTries = 5

func (r *run) record(ctx context.Context, end schemas.Event) {
	end.At, end.Actor, end.Steps, end.Sealed = r.svc.Now(), r.svc.actor(), r.steps, r.sealed
	for try := 1; ; try++ {
		t, err := r.svc.transition(ctx, r.n, end, r.task.ID)
		if err == nil {
			r.tell(t, end)
			r.svc.free(t)
			return
		}
		if !errors.Is(err, schemas.ErrOverloaded) || try == recordTries || ctx.Err() != nil {
			r.log.Error().Err(err).Str("code", string(end.Code)).Msg("cannot record how the attempt ended; the next worker verifies it")
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		}
	}
}

// transition records one event of an enforcement, if its generation is still the one given.
func (s *Service) transition(ctx context.Context, n schemas.Enforcement, e schemas.Event, task string) (schemas.Task, error) {
	e.TaskID, e.System = task, n.System
	return s.Ledger.Transition(ctx, task, func(t schemas.Task) ([]schemas.Event, error) {
		if err := stands(t, n); err != nil {
			return nil, err
		}
		return []schemas.Event{e}, nil
	})
}

// stands gives errStale unless an enforcement is still open in the generation given.
func stands(t schemas.Task, n schemas.Enforcement) error {
	now := t.Enforcement(n.ID)
	if now == nil || now.Generation != n.Generation || now.Status.Final() {
		return errStale
	}
	return nil
}

// tell writes the one log line of an attempt and counts it.
func (r *run) tell(t schemas.Task, end schemas.Event) {
	took := r.svc.Now().Sub(t.CreatedAt)
	level := zerolog.InfoLevel
	if end.Type == schemas.EventFailed {
		level = zerolog.WarnLevel
	}
	r.log.WithLevel(level).Str("code", string(end.Code)).Dur("took", took).Str("event", string(end.Type)).Str("detail", end.Detail).Msg("enforcement")
	if end.Type == schemas.EventDeferred {
		r.svc.count.deferred.WithLabelValues(r.n.System, string(end.Code)).Inc()
		return
	}
	r.svc.count.finished.WithLabelValues(r.n.System, string(end.Type), string(end.Code)).Inc()
	r.svc.count.took.WithLabelValues(r.n.System).Observe(took.Seconds())
}

func describe(c schemas.Class) string {
	out := string(c.Origin)
	if !c.Enabled {
		out += ", disabled"
	}
	if c.Privileged {
		out += ", privileged"
	}
	if c.Why != "" {
		out += " (" + c.Why + ")"
	}
	return out
}

// detailOf gives the words of an error for a person: the detail of a Failure in its chain with what was said around it.
// Any other error is not shown, because it may quote what must not be.
func detailOf(err error) string {
	f, ok := errors.AsType[*schemas.Failure](err)
	if !ok {
		return "the system gave an answer that is not understood; see the log"
	}
	return f.Detail
}

// around says something before the words of a Failure and keeps its code and its wait.
func around(what string, err error) error {
	f := schemas.Fail(schemas.CodeOf(err), "%s: %s", what, detailOf(err)).Because(err)
	if inner, ok := errors.AsType[*schemas.Failure](err); ok {
		f.RetryAfter = inner.RetryAfter
	}
	return f
}

func orElse(c, other schemas.Code) schemas.Code {
	if c == "" {
		return other
	}
	return c
}
