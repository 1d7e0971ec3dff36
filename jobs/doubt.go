package jobs

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// settleDoubt deals with an enforcement whose reset may have been sent by an attempt that never told how it ended. It is
// never blindly repeated: the system is asked whether the password has changed since the evidence that was stored right
// before. It changed and is in force: the reset was made, and the walk goes on after it. The password is the old
// one: the walk begins anew. Anything else is for a person to look at.
func (r *run) settleDoubt(ctx context.Context) (end schemas.Event, done bool) {
	s := r.svc
	if r.task.Request.Mode == schemas.ModeExpire {
		return schemas.Event{}, false // setting a flag twice is as once
	}
	// A call whose sender died may still be under way in the system. Reading too early would miss it.
	if ready := r.n.IntentAt.Add(s.settle(r.n.System)); s.Now().Before(ready) {
		return schemas.Event{Type: schemas.EventDeferred, DueAt: ready, Waited: true,
			Detail: "an earlier attempt ended without an answer; its outcome is verified once it has settled"}, true
	}
	if r.n.Identity == nil {
		return schemas.Event{Type: schemas.EventFailed, Code: schemas.CodeNeedsReview,
			Detail: "an earlier attempt ended without an answer and left no identity; look at the account and retry the task"}, true
	}
	s.count.doubts.WithLabelValues(r.n.System).Inc()
	proof, err := s.Enforcer.Verify(ctx, r.n.System, *r.n.Identity, *r.n.Intent)
	switch {
	case err != nil && (schemas.CodeOf(err).Retryable() || ctx.Err() != nil):
		return r.failed(ctx, err), true
	case err != nil:
		return r.review("the account cannot be read to find out: " + detailOf(err)), true
	case proof.Changed && proof.State == schemas.ProofEnforced:
		r.reset = true
		r.keepReset(proof)
		return schemas.Event{}, false
	case !proof.Changed: // whatever else of the account moved: a failed log-in moves its marker
		r.log.Info().Msg("the earlier attempt did not reach the system; beginning anew")
		return schemas.Event{}, false
	}
	return r.review("the account was changed in between, but the reset is not in force; somebody else may have changed it"), true
}

// keepReset records the reset step of the attempt that did not live to do so, unless it did.
func (r *run) keepReset(proof schemas.Proof) {
	for _, s := range r.n.Steps {
		if s.Name == schemas.StepReset && s.Code.OK() {
			return
		}
	}
	r.steps = append(r.steps, schemas.Step{Name: schemas.StepReset, Code: schemas.CodeOK, At: r.n.IntentAt,
		Detail: "sent by an attempt that ended without an answer; proved by the system's own record: " + proof.Detail})
}

func (r *run) review(why string) schemas.Event {
	return schemas.Event{Type: schemas.EventFailed, Code: schemas.CodeNeedsReview,
		Detail: "an earlier attempt ended without an answer, and " + why + "; look at the account, then retry the task"}
}
