package jobs

import (
	"context"
	"errors"
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
	// Coalesce is for how long after a reset those who ask for the same share it; zero is what the source says, or 15
	// minutes, and less is never.
	Coalesce time.Duration
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

// follow makes this enforcement wait for the one at the source, which it adds to the task if it is not there, and
// begins anew if it did not find the account by the name that was asked for: the copy knows a better one. It gives the
// task, with nothing recorded if the one at the source has ended otherwise.
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
		case at == nil, at.Misnamed() && class.Source != nil:
			out = append(out, schemas.Event{TaskID: t.ID, At: now, Type: schemas.EventRouted, Actor: r.svc.actor(), System: source,
				Account: class.Source, Via: n.System})
		case at.Status.Final():
			return nil, nil
		}
		return append(out, schemas.Event{TaskID: t.ID, At: now, Type: schemas.EventDeferred, Actor: r.svc.actor(), System: n.System,
			Code: schemas.CodeResetAtSource, Detail: "the password lives in " + source + "; it is reset there first, then the sessions here are ended",
			Steps: r.steps, DueAt: now.Add(sourceWait), Waited: true, WaitsFor: source}), nil
	})
}
