package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/resetd/resetd/schemas"
)

// sourceWait is how long an enforcement waits for the one at its source before it looks again by itself. The end of that
// one ends the wait; this is for what nobody foresaw.
const sourceWait = 10 * time.Minute

// SystemRule is what an operator says about a system beyond its settings.
type SystemRule struct {
	// Source names the system where the passwords of synced accounts live; empty for none.
	Source string
	// Privileged lets resets of privileged accounts through.
	Privileged bool
	// Settle is how long a lost call may still be under way in the system; zero is Timing.Settle.
	Settle time.Duration
}

// settle gives how long a lost call may still be under way.
func (s *Service) settle(system string) time.Duration {
	return max(s.Rules[system].Settle, s.Timing.Settle)
}

// refuse tells why an account of some class is not to be touched on a system, or nil. Accounts whose password lives
// elsewhere are not refused: elsewhere does what can be done for them.
func (s *Service) refuse(system string, c schemas.Class) error {
	switch {
	case c.Origin == schemas.OriginService:
		return schemas.Fail(schemas.CodeProtected, "this is a service account, and a forced reset would stop what uses it: %s", c.Why)
	case c.Privileged && !s.Rules[system].Privileged:
		return schemas.Fail(schemas.CodeProtected, "the account is privileged (%s), and resetd does not act on such accounts of %s; reset it by hand, "+
			"or write `privileged: allow` below `- name: %s` in the configuration and retry the task", c.Why, system, system)
	case c.Origin == schemas.OriginGuest:
		return schemas.Fail(schemas.CodeNotApplicable, "the account belongs to another organisation and logs in there; tell that organisation: %s", c.Why)
	}
	return nil
}

// elsewhere deals with an account whose password is not held by the system: a synced one is reset at its source first, and
// then the sessions here are ended; of a federated one only the sessions are.
func (r *run) elsewhere(ctx context.Context, id schemas.Identity, class schemas.Class) schemas.Event {
	if class.Origin == schemas.OriginFederated {
		return r.sessionsOnly(ctx, id, schemas.Event{Type: schemas.EventNotApplicable, Code: schemas.CodeNotApplicable,
			Detail: "the account logs in at another identity provider; reset it there: " + class.Why})
	}
	source, f := r.sourceOf(class)
	if f != nil {
		return r.failed(ctx, f)
	}
	task, err := r.follow(ctx, source, class)
	if err != nil {
		r.log.Warn().Err(err).Msg("cannot record that the account is reset at its source; the sweep brings the work back")
		return schemas.Event{}
	}
	at := task.On(source)
	if at == nil || !at.Status.Final() {
		return schemas.Event{} // recorded: the end of that one wakes this one
	}
	return r.afterSource(ctx, id, class, *at)
}

// sourceOf gives the system where the password lives, if resetd may act there for this task.
func (r *run) sourceOf(class schemas.Class) (string, *schemas.Failure) {
	system, source := r.n.System, r.svc.Rules[r.n.System].Source
	switch {
	case source == "":
		return "", schemas.Fail(schemas.CodeResetAtSource, "the account is copied from another directory, and its password lives there (%s); reset it there, "+
			"or write `source_system:` with the name of that directory below `- name: %s` in the configuration and retry the task", class.Why, system)
	case r.task.On(source) == nil && !slices.Contains(r.svc.Sources[r.task.Source].Systems, source):
		return "", schemas.Fail(schemas.CodeResetAtSource, "the account is copied from %s, and its password lives there, but %s may not act on that system; "+
			"add %s to its systems in the configuration and retry the task", source, r.task.Source, source)
	case r.task.On(source) == nil && class.Source == nil:
		return "", schemas.Fail(schemas.CodeResetAtSource, "the account is copied from %s, but %s does not say from which account (%s); "+
			"ask for the reset on %s by the account's name there", source, system, class.Why, source)
	}
	return source, nil
}

// follow makes this enforcement wait for the one at the source, which it adds to the task if it is not there. It gives
// the task, with nothing recorded if the one at the source has ended already.
func (r *run) follow(ctx context.Context, source string, class schemas.Class) (schemas.Task, error) {
	t, err := r.route(ctx, r.task, source, class)
	for tries := 0; errors.Is(err, schemas.ErrState) && tries < 3; tries++ { // another copy was routed meanwhile
		if t, err = r.svc.Ledger.Task(ctx, r.task.ID); err == nil {
			t, err = r.route(ctx, t, source, class)
		}
	}
	if err == nil {
		r.svc.wake(t)
	}
	return t, err
}

func (r *run) route(ctx context.Context, known schemas.Task, source string, class schemas.Class) (schemas.Task, error) {
	now := r.svc.Now()
	return r.svc.Ledger.Route(ctx, known, source, func(t schemas.Task) ([]schemas.Event, error) {
		n := t.Enforcement(r.n.ID)
		if n == nil || n.Generation != r.n.Generation || n.Status.Final() {
			return nil, errStale
		}
		var out []schemas.Event
		switch at := t.On(source); {
		case at != nil && at.Status.Final():
			return nil, nil
		case at == nil:
			out = append(out, schemas.Event{TaskID: t.ID, At: now, Type: schemas.EventRouted, Actor: r.svc.actor(), System: source,
				Account: class.Source, Via: n.System})
		}
		return append(out, schemas.Event{TaskID: t.ID, At: now, Type: schemas.EventDeferred, Actor: r.svc.actor(), System: n.System,
			Code: schemas.CodeResetAtSource, Detail: "the password lives in " + source + "; it is reset there first, then the sessions here are ended",
			Steps: r.steps, DueAt: now.Add(sourceWait), Waited: true, WaitsFor: source}), nil
	})
}

// afterSource ends the sessions here once the enforcement at the source has ended, also if it failed: they are the thief's
// either way. Two ends keep it from that: what was withdrawn or refused there, and an account that is protected there.
func (r *run) afterSource(ctx context.Context, id schemas.Identity, class schemas.Class, at schemas.Enforcement) schemas.Event {
	if at.Status == schemas.StatusSuccessful && !r.namedThere(class, at) {
		if f := r.sameAccount(ctx, class, at); f != nil {
			return r.failed(ctx, f)
		}
	}
	told := fmt.Sprintf("at its source %s: %s", at.System, at.Status)
	if at.Code != "" {
		told += " (" + string(at.Code) + ")"
	}
	end := schemas.Event{Type: schemas.EventSucceeded, Code: at.Code, Detail: "the password was reset " + told, Identity: &id}
	switch {
	case at.Status == schemas.StatusCancelled || at.Status == schemas.StatusRejected:
		end.Type, end.Detail = schemas.EventCancelled, "nothing was reset "+told+", and nothing was done here"
		if err := r.rehearse(ctx); err != nil {
			return r.failed(ctx, err)
		}
		return end
	case at.Code == schemas.CodeProtected:
		end.Type, end.Detail = schemas.EventFailed, "nothing was reset "+told+", and nothing was done here: "+at.Detail
		return end
	case at.Code == schemas.CodeAlreadyInForce:
		end.Detail = "nothing had to be reset " + told + ": " + at.Detail
		r.steps = append(r.steps, schemas.Step{Name: schemas.StepReset, Code: schemas.CodeResetAtSource, At: r.svc.Now(), Detail: end.Detail})
	case at.Status != schemas.StatusSuccessful:
		end.Type, end.Code, end.Detail = schemas.EventFailed, schemas.CodeResetAtSource, "the password was not reset "+told+": "+at.Detail
	default:
		r.steps = append(r.steps, schemas.Step{Name: schemas.StepReset, Code: schemas.CodeResetAtSource, At: r.svc.Now(), Detail: "done " + told})
	}
	if end.Type == schemas.EventSucceeded && !r.revokes() {
		end.Type, end.Code = schemas.EventNotApplicable, schemas.CodeNotApplicable
	}
	return r.sessionsOnly(ctx, id, end)
}

// namedThere tells whether the enforcement at the source was added for the very account that is copied here. The name of
// the account here is looked up anew each time, and may have passed to somebody else during the wait.
func (r *run) namedThere(class schemas.Class, at schemas.Enforcement) bool {
	return at.Via == r.n.System && at.Account != nil && class.Source != nil && *class.Source == *at.Account
}

// sameAccount makes sure that what was reset at the source is what the account here is copied from. The two were found by
// the same name in two systems, which proves nothing.
func (r *run) sameAccount(ctx context.Context, class schemas.Class, at schemas.Enforcement) error {
	if class.Source == nil || at.Identity == nil {
		return schemas.Fail(schemas.CodeNeedsReview, "an account of that name was reset on %s, but %s does not say whether it is the one that is copied here (%s); "+
			"compare the two", at.System, r.n.System, class.Why)
	}
	id, err := r.svc.Enforcer.Resolve(ctx, at.System, *class.Source)
	switch {
	case err != nil && schemas.CodeOf(err) == schemas.CodeAccountNotFound:
		return schemas.Fail(schemas.CodeNeedsReview, "the account here is copied from %s %q, which %s does not know; another account of the same name was reset there; "+
			"look at both", class.Source.Type, class.Source.Value, at.System)
	case err != nil:
		return around("finding the source of the account on "+at.System, err)
	case id.ID != at.Identity.ID:
		return schemas.Fail(schemas.CodeNeedsReview, "the account reset on %s (%s) is not the one that is copied here (%s); reset that one too",
			at.System, at.Identity.Name, id.Name)
	}
	return nil
}

// rehearse asks in a dry run whether sessions could be ended here.
func (r *run) rehearse(ctx context.Context) error {
	if !r.task.Request.DryRun {
		return nil
	}
	return r.maySend(ctx)
}

// maySend asks for the operator's permission to end sessions. Whether passwords can be set here, and how, matters to
// nobody then: who administers a copy may not have granted that.
func (r *run) maySend(ctx context.Context) error {
	return r.step(schemas.StepPreflight, func() (schemas.Code, string, error) {
		return schemas.CodeOK, "", r.svc.Enforcer.Preflight(ctx, r.n.System, "")
	})
}

// revokes tells whether the task wants sessions to be ended.
func (r *run) revokes() bool {
	return !r.task.Request.DryRun && (r.task.Request.RevokeSessions == nil || *r.task.Request.RevokeSessions)
}

// sessionsOnly ends the sessions of an account that is not reset here, and then the attempt. What keeps it from doing so
// becomes the end of an attempt that would have been a success, and is only told beside any other.
func (r *run) sessionsOnly(ctx context.Context, id schemas.Identity, end schemas.Event) schemas.Event {
	end.Identity = &id
	if !r.revokes() {
		return end
	}
	err := r.maySend(ctx)
	var got schemas.Receipt
	if err == nil {
		err = r.step(schemas.StepRevoke, func() (schemas.Code, string, error) {
			got, err = r.svc.Enforcer.Revoke(ctx, r.n.System, id)
			return got.Code, got.Detail, err
		})
	}
	switch {
	case err == nil && got.Code == schemas.CodeUnsupported:
		end.Detail += "; sessions here cannot be ended: " + got.Detail
	case err == nil:
		end.Detail += "; the sessions here were ended"
	case schemas.CodeOf(err).Retryable() || end.Type == schemas.EventSucceeded:
		return r.failed(ctx, around(end.Detail+", but the sessions here were not ended", err))
	default:
		end.Detail += "; the sessions here were not ended: " + detailOf(err)
	}
	return end
}
