package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// errStale means that a wake-up is out of date: the work was taken, repeated or finished by another.
var errStale = errors.New("this wake-up is out of date")

// HandleEnforcement is what a worker does with a wake-up of a system's queue: it claims the enforcement, walks the
// steps, and records what came of it. It never fails: whatever it cannot record is found by the sweep.
func (s *Service) HandleEnforcement(ctx context.Context, w Work) {
	if f := s.feeders[w.Queue]; f != nil {
		defer f.done(w)
		if f.holdsBack(w) {
			return
		}
	}
	if s.leases.busy(w.ID) {
		return // a worker of this process is at it; only another process may doubt that it lives
	}
	began := s.Now()
	until := began.Add(s.Timing.Lease)
	t, err := s.Ledger.TransitionDue(ctx, w, began, func(t schemas.Task) ([]schemas.Event, error) {
		n := t.Enforcement(w.ID)
		if n == nil || n.Generation != w.Generation || n.Follows() || n.Status != schemas.StatusQueued && n.Status != schemas.StatusInProgress {
			return nil, errStale
		}
		return []schemas.Event{{TaskID: t.ID, At: began, Type: schemas.EventClaimed, Actor: s.actor(), System: n.System,
			Generation: n.Generation + 1, DueAt: until}}, nil
	})
	if err != nil {
		if !errors.Is(err, errStale) && !errors.Is(err, schemas.ErrState) && !errors.Is(err, schemas.ErrNotFound) {
			s.Logger.Warn().Err(err).Str("task", w.TaskID).Msg("cannot claim work; the sweep brings it back")
		}
		return
	}
	if t.Callback != nil {
		s.announce(t)
	}
	n := *t.Enforcement(w.ID)
	call := s.Logger.With().Str("task", t.ID).Str("source", t.Source).Logger() // the connectors add the system
	log := call.With().Str("system", n.System).Logger()
	claim := Work{ID: w.ID, TaskID: w.TaskID, Queue: w.Queue, Generation: n.Generation}
	ctx, held, release := s.leases.hold(call.WithContext(ctx), claim, until)
	defer release()
	r := &run{svc: s, task: t, n: n, held: held, log: log}
	end := r.walk(ctx)
	if end.Type == "" {
		return // the claim is lost or the process stops: whoever comes next verifies first
	}
	r.record(ctx, end)
}

// run is one attempt at one enforcement.
type run struct {
	svc    *Service
	task   schemas.Task
	n      schemas.Enforcement
	held   *lease
	log    zerolog.Logger
	steps  []schemas.Step
	sealed string // the password that was set, encrypted for delivery
	reset  bool   // the reset of this enforcement is known to have been made, now or by an earlier attempt
}

// step times one stage and keeps its result: the code and words that do gives, or those of its error, which it returns.
func (r *run) step(name schemas.StepName, do func() (schemas.Code, string, error)) error {
	began := r.svc.Now()
	code, detail, err := do()
	if err != nil {
		code, detail = schemas.CodeOf(err), detailOf(err)
	}
	r.steps = append(r.steps, schemas.Step{Name: name, Code: code, Detail: detail, At: began, TookMS: r.svc.Now().Sub(began).Milliseconds()})
	return err
}

// walk does the steps and gives the event that ends the attempt: a final one, or a deferral. An event without a type
// means that nothing may be recorded any more.
func (r *run) walk(ctx context.Context) schemas.Event {
	if r.n.Attempts > mostClaims {
		return schemas.Event{Type: schemas.EventFailed, Code: schemas.CodeNeedsReview,
			Detail: "it was begun a hundred times and never came to an end; look at the log and at the account, then retry the task"}
	}
	if r.n.InDoubt() && !r.madeBefore() {
		if end, done := r.settleDoubt(ctx); done {
			return end
		}
	}
	if !r.reset {
		if end, done := r.prepare(ctx); done {
			return end
		}
		if end, done := r.change(ctx); done {
			return end
		}
	}
	return r.conclude(ctx)
}

// prepare resolves, classifies and checks the permission; then it stores the evidence. Nothing is changed before that.
func (r *run) prepare(ctx context.Context) (end schemas.Event, done bool) {
	var id schemas.Identity
	var class schemas.Class
	enf, system := r.svc.Enforcer, r.n.System
	err := r.step(schemas.StepResolve, func() (_ schemas.Code, _ string, err error) {
		id, err = enf.Resolve(ctx, system, r.account())
		return schemas.CodeOK, id.Name, err
	})
	if err == nil {
		err = r.step(schemas.StepClassify, func() (_ schemas.Code, _ string, err error) {
			class, err = enf.Classify(ctx, system, id)
			if err == nil {
				err = r.svc.refuse(system, class)
			}
			return schemas.CodeOK, describe(class), err
		})
	}
	if err == nil && (class.Origin == schemas.OriginSynced || class.Origin == schemas.OriginFederated) {
		return r.elsewhere(ctx, id, class), true
	}
	if err == nil {
		err = r.step(schemas.StepPreflight, func() (schemas.Code, string, error) {
			return schemas.CodeOK, "", enf.Preflight(ctx, system, r.task.Request.Mode)
		})
	}
	if err != nil {
		return r.failed(ctx, err), true
	}
	if r.n.InDoubt() && r.task.Request.Mode != schemas.ModeExpire && !class.Evidence.PasswordChangedAt.Equal(r.n.Intent.PasswordChangedAt) {
		if r.svc.Now().Sub(r.n.IntentAt) > r.svc.Timing.RetryFor {
			return r.review("the system's records of when the password was set contradict each other"), true
		}
		return schemas.Event{Type: schemas.EventDeferred, DueAt: r.svc.Now().Add(r.svc.settle(system)), Waited: true,
			Detail: "the password was set after the doubt about an earlier attempt was looked into; it is verified again"}, true
	}
	if r.task.Request.DryRun {
		return schemas.Event{Type: schemas.EventCancelled, Code: schemas.CodeOK, Identity: &id,
			Detail: "dry run: " + id.Name + " would have been reset; nothing was changed"}, true
	}
	if since, set := r.task.Request.SkipIfChangedSince, class.Evidence.PasswordChangedAt; !since.IsZero() && !set.IsZero() && !set.Before(since) {
		tried, err := r.tried(ctx)
		if err != nil {
			r.log.Warn().Err(err).Msg("cannot read the history; nothing was changed, and the sweep brings the work back")
			return schemas.Event{}, true
		}
		if tried {
			return schemas.Event{}, !r.intend(ctx, id, class.Evidence)
		}
		return r.sessionsOnly(ctx, id, schemas.Event{Type: schemas.EventSucceeded, Code: schemas.CodeAlreadyInForce,
			Detail: fmt.Sprintf("the password was set at %s, which is not before %s (skip_if_changed_since); it was left alone",
				set.UTC().Format(time.RFC3339), since.UTC().Format(time.RFC3339))}), true
	}
	return schemas.Event{}, !r.intend(ctx, id, class.Evidence)
}

// tried tells whether this task may have set the password here before, also in a run that a person has had repeated. What
// was set since the alert is then no sign that somebody has taken care of the account.
func (r *run) tried(ctx context.Context) (bool, error) {
	events, err := r.svc.Ledger.Events(ctx, r.task.ID)
	return slices.ContainsFunc(events, func(e schemas.Event) bool {
		return e.Type == schemas.EventIntended && e.System == r.n.System
	}), err
}

// account is what is looked for: the request's account, or the name by which another system knows it here.
func (r *run) account() schemas.Account {
	if r.n.Account != nil {
		return *r.n.Account
	}
	return r.task.Request.Account
}

// intend records that a reset is about to be sent, with the evidence by which it can be told later whether it was. It gives
// false if no reset may be sent: because that could not be recorded, or because another task does the same or has done it,
// which is recorded instead.
func (r *run) intend(ctx context.Context, id schemas.Identity, evidence schemas.Evidence) bool {
	now := r.svc.Now()
	until := now.Add(r.svc.Timing.Lease)
	t, err := r.lead(ctx, id, schemas.Event{TaskID: r.task.ID, At: now, Type: schemas.EventIntended, Actor: r.svc.actor(), System: r.n.System, DueAt: until,
		Steps: r.steps, Identity: &id, Intent: &evidence})
	if err != nil {
		r.log.Warn().Err(err).Msg("cannot record the intent; nothing was changed, and the sweep brings the work back")
		return false
	}
	if n := t.Enforcement(r.n.ID); n.CoalescedWith != nil {
		r.svc.joined(t, *n)
		return false
	}
	r.svc.leases.extended(r.held, until)
	r.task, r.n, r.steps = t, *t.Enforcement(r.n.ID), nil
	return true
}

// change sends the reset, if the claim still stands.
func (r *run) change(ctx context.Context) (end schemas.Event, done bool) {
	if !r.svc.leases.valid(r.held, r.svc.Timing.Lease/4) || ctx.Err() != nil {
		r.log.Warn().Msg("the claim ran out before the reset was sent; another attempt follows")
		return schemas.Event{}, true
	}
	err := r.step(schemas.StepReset, func() (schemas.Code, string, error) {
		got, err := r.svc.Enforcer.Reset(ctx, r.n.System, *r.n.Identity, r.task.Request.Mode)
		r.sealed = got.Sealed
		return got.Code, got.Detail, err
	})
	if err != nil {
		return r.failed(ctx, err), true
	}
	r.reset = true
	return schemas.Event{}, false
}

// conclude revokes the sessions and verifies.
func (r *run) conclude(ctx context.Context) schemas.Event {
	if r.revokes() && !r.done(schemas.StepRevoke) {
		err := r.step(schemas.StepRevoke, func() (schemas.Code, string, error) {
			got, err := r.svc.Enforcer.Revoke(ctx, r.n.System, *r.n.Identity)
			return got.Code, got.Detail, err
		})
		if err != nil && schemas.CodeOf(err) != schemas.CodeUnsupported {
			return r.failed(ctx, around("the password was reset, but the sessions were not ended", err))
		}
	}
	proof, err := r.verify(ctx)
	switch {
	case err != nil:
		return r.failed(ctx, err)
	case proof.State == schemas.ProofEnforced:
		return schemas.Event{Type: schemas.EventSucceeded, Code: r.successCode(), Detail: proof.Detail}
	case proof.Code == "" && r.mayShowLater():
		return r.lookAgain(proof)
	case proof.State == schemas.ProofNotEnforced:
		return r.failed(ctx, schemas.Fail(orElse(proof.Code, schemas.CodeUnenforced), "%s", proof.Detail))
	}
	return r.failed(ctx, schemas.Fail(schemas.CodeNeedsReview, "the system accepted the reset, but whether it is in force cannot be told: %s", proof.Detail))
}

func (r *run) successCode() schemas.Code {
	code := schemas.CodeOK
	for _, s := range slices.Concat(r.n.Steps, r.steps) { // the latest counts
		if s.Name == schemas.StepReset && s.Code.OK() {
			code = s.Code
		}
	}
	return code
}

// How often an unclear verification is repeated, and after which waits: directories copy themselves with a delay.
var verifyWaits = []time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second}

func (r *run) verify(ctx context.Context) (proof schemas.Proof, err error) {
	since := *r.n.Intent
	if r.successCode() == schemas.CodeAlreadyInForce {
		since = schemas.Evidence{} // nothing was changed, so nothing can be newer
	}
	err = r.step(schemas.StepVerify, func() (schemas.Code, string, error) {
		for i := 0; ; i++ {
			proof, err = r.svc.Enforcer.Verify(ctx, r.n.System, *r.n.Identity, since)
			settled := proof.State == schemas.ProofEnforced || proof.State == schemas.ProofNotEnforced && proof.Code != ""
			if err != nil || settled || i == len(verifyWaits) {
				break
			}
			select {
			case <-ctx.Done():
				return "", "", ctx.Err()
			case <-time.After(verifyWaits[i]):
			}
		}
		switch proof.State {
		case schemas.ProofEnforced:
			return schemas.CodeOK, proof.Detail, err
		case schemas.ProofNotEnforced:
			return orElse(proof.Code, schemas.CodeUnenforced), proof.Detail, err
		}
		return schemas.CodeNeedsReview, proof.Detail, err
	})
	return proof, err
}
