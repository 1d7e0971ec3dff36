package jobs

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// lead records that a reset is about to be sent, unless another task has recorded so for the same account and this one may
// share its end. The account is the one that the system found, so that it does not matter how senders name it, which
// process took them in, or what this one remembers.
func (r *run) lead(ctx context.Context, id schemas.Identity, intended schemas.Event) (schemas.Task, error) {
	s, system := r.svc, r.n.System
	if s.Rules[system].Coalesce < 0 {
		return s.transition(ctx, r.n, intended, r.task.ID)
	}
	window := s.window(r.task.Source, system)
	return s.Ledger.Intend(ctx, r.task.ID, foundAs(system, r.task.Request.Mode, id), func(t schemas.Task, last *schemas.Task) ([]schemas.Event, error) {
		if err := stands(t, r.n); err != nil {
			return nil, err
		}
		if last == nil || window == 0 || r.n.Alone || !isAbout(*last, system, id) {
			return []schemas.Event{intended}, nil
		}
		e := intended
		switch with, how := joins(*last, system, t.Request, window, intended.At); how {
		case waits:
			e = s.waiting(t.ID, system, with, &id, intended.At)
		case shares:
			e = s.shared(t.ID, system, *last, *last.On(system), intended.At)
		}
		e.Steps, e.Identity = intended.Steps, intended.Identity
		return []schemas.Event{e}, nil
	})
}

// isAbout tells whether a task is still about an account that it once went to reset: a retry looks for the name anew, and
// may have found another.
func isAbout(t schemas.Task, system string, id schemas.Identity) bool {
	n := t.On(system)
	return n != nil && n.Identity != nil && n.Identity.ID == id.ID
}

// joined tells of an enforcement that a worker began and another task does.
func (s *Service) joined(t schemas.Task, n schemas.Enforcement) {
	s.count.coalesced.WithLabelValues(t.Source, n.System).Inc()
	if n.Status.Final() {
		s.tellShared(t, n)
		s.free(t)
		return
	}
	s.announce(t)
	s.crowd.expect(n.CoalescedWith.EnforcementID)
	s.crowd.kick(n.CoalescedWith.EnforcementID) // it may have ended in between
}

// tellShared writes the one log line of an enforcement that ended with another task's, and counts it.
func (s *Service) tellShared(t schemas.Task, n schemas.Enforcement) {
	s.Logger.Info().Str("task", t.ID).Str("source", t.Source).Str("system", n.System).Str("code", string(n.Code)).
		Dur("took", n.FinishedAt.Sub(t.CreatedAt)).Str("event", string(finals[n.Status])).Str("with", n.CoalescedWith.TaskID).Str("detail", n.Detail).Msg("enforcement")
	s.count.finished.WithLabelValues(n.System, string(finals[n.Status]), string(n.Code)).Inc()
}
