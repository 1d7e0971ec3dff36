package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/resetd/resetd/schemas"
)

// maxEnforcements bounds what one delivery may set off: it is recorded in one transaction, and others wait meanwhile.
const maxEnforcements = 5000

// Submit records a submission and returns once it is durable; the workers are woken then. A sender that repeats itself
// gets the first tasks, with replay set. Its problems point into the list of requests (/3/systems/0). Other errors:
// schemas.ErrOverloaded, schemas.ErrKeyReused, schemas.ErrReplayed.
func (s *Service) Submit(ctx context.Context, sub schemas.Submission) (tasks []schemas.Task, replay bool, err error) {
	rule, ok := s.Sources[sub.Source]
	if !ok {
		return nil, false, fmt.Errorf("source %q: %w", sub.Source, schemas.ErrNotFound)
	}
	now, enforcements := s.Now(), 0
	d := NewDelivery{Source: sub.Source, Key: sub.Key, BodyHash: sub.BodyHash, Repeat: sub.Repeat,
		Accepted: make([]schemas.Event, len(sub.Requests)), Then: make([][]schemas.Event, len(sub.Requests))}
	g := s.gather(sub.Source, now)
	for i, r := range sub.Requests {
		r = r.WithDefaults()
		systems, problem := s.targets(rule, r, i)
		if problem != nil {
			return nil, false, problem
		}
		if enforcements += len(systems); enforcements > maxEnforcements {
			return nil, false, schemas.NewProblem(422, "too_much_at_once", "The delivery asks for too much at once",
				fmt.Sprintf("Requests times systems may be at most %d in one delivery; split it into several, each with an id of its own.", maxEnforcements))
		}
		plan, err := s.Plan(sub.Source, r.Callback, rule.Events)
		if err != nil {
			return nil, false, schemas.NewProblem(403, "callback_not_allowed", "The callback is not allowed", "Ask for a URL that the source's configuration allows.",
				schemas.FieldError{Pointer: fmt.Sprintf("/%d/callback/url", i), Detail: err.Error()})
		}
		r.Callback = nil // the plan says it
		id, err := uuid.NewV7()
		if err != nil {
			return nil, false, fmt.Errorf("make a task id: %w", err)
		}
		d.Accepted[i] = schemas.Event{TaskID: id.String(), Seq: 1, At: now, Type: schemas.EventAccepted, Actor: sub.Actor,
			Accepted: &schemas.Accepted{Source: sub.Source, Request: r, Callback: plan, Systems: systems, Status: schemas.StatusQueued}}
		d.Then[i] = g.join(ctx, d.Accepted[i])
	}
	tasks, replay, err = s.Ledger.Create(ctx, d)
	if err != nil {
		return nil, false, err
	}
	if replay {
		s.count.replays.WithLabelValues(sub.Source).Inc()
		return tasks, true, nil
	}
	s.count.accepted.WithLabelValues(sub.Source).Add(float64(len(tasks)))
	g.recorded(tasks)
	for _, t := range tasks {
		s.wake(t)
	}
	return tasks, false, nil
}

// targets decides on which systems a request acts, or says why not.
func (s *Service) targets(rule SourceRule, r schemas.Request, i int) ([]string, *schemas.Problem) {
	const title = "The request names a system that cannot be acted on"
	if len(r.Systems) == 0 {
		if len(rule.Systems) == 0 {
			return nil, schemas.NewProblem(403, "no_systems", title, "This source may act on no system; list some under its systems in the configuration.")
		}
		return rule.Systems, nil
	}
	for j, name := range r.Systems {
		at := fmt.Sprintf("/%d/systems/%d", i, j)
		if !slices.Contains(s.Systems, name) {
			return nil, schemas.NewProblem(422, "unknown_system", title, "Correct the name and send it again.",
				schemas.FieldError{Pointer: at, Detail: "there is no such system; this source may act on: " + strings.Join(rule.Systems, ", ")})
		}
		if !slices.Contains(rule.Systems, name) {
			return nil, schemas.NewProblem(403, "forbidden_system", title, "Leave it out, or let an administrator add it to the source's systems.",
				schemas.FieldError{Pointer: at, Detail: "this source may act on: " + strings.Join(rule.Systems, ", ")})
		}
	}
	return r.Systems, nil
}

// wake offers whatever of a task waits to the feeders.
func (s *Service) wake(t schemas.Task) {
	for _, n := range t.Enforcements {
		if n.Status == schemas.StatusQueued && n.NotBefore.IsZero() && !n.Follows() {
			s.offer(t, n)
		}
	}
	s.announce(t)
}

// free offers those of a task that waited for another of its enforcements, and wait no more. Others have been offered
// before, or are not due yet.
func (s *Service) free(t schemas.Task) {
	for _, n := range t.Enforcements {
		if n.Status == schemas.StatusQueued && n.NotBefore.IsZero() && !n.StartedAt.IsZero() && !n.Follows() {
			s.offer(t, n)
		}
	}
	s.announce(t)
}

// offer wakes a worker for one enforcement.
func (s *Service) offer(t schemas.Task, n schemas.Enforcement) {
	if f := s.feeders[QueueOf(n.System)]; f != nil {
		f.offer(Work{ID: n.ID, TaskID: t.ID, Queue: f.queue, Generation: n.Generation, DueAt: t.UpdatedAt})
	}
}

// announce tells those who wait for a task, callers as well as other tasks, and offers the callback that its present status
// may have made due. Offering one that does not exist is harmless: it cannot be claimed.
func (s *Service) announce(t schemas.Task) {
	if t.Callback.Wants(t.Status) {
		s.feeders[CallbackQueue].offer(Work{ID: schemas.CallbackID(t.ID, t.Version), TaskID: t.ID, Queue: CallbackQueue, Generation: 1, DueAt: t.UpdatedAt})
	}
	s.hub.tell(t)
	s.ended(t)
}
