package jobs

import (
	"context"
	"fmt"

	"github.com/resetd/resetd/schemas"
)

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
	return !r.task.Request.DryRun && ends(r.task.Request)
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
