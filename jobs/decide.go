package jobs

import (
	"context"
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// Cancel withdraws whatever of a task no worker has begun. schemas.ErrState means that there is nothing left to withdraw.
func (s *Service) Cancel(ctx context.Context, id, actor string) (schemas.Task, error) {
	return s.decide(ctx, id, func(t schemas.Task, n schemas.Enforcement) (schemas.Event, bool) {
		open := n.Status == schemas.StatusQueued || n.Status == schemas.StatusPendingApproval
		return schemas.Event{Type: schemas.EventCancelled, Actor: actor, Detail: "withdrawn by " + actor}, open && !n.InDoubt()
	}, "nothing of it can be cancelled any more: it is final, or a worker has begun it")
}

// Retry queues again what failed of a task, and only that; it is coalesced with nothing. schemas.ErrState means that nothing
// failed.
func (s *Service) Retry(ctx context.Context, id, actor string) (schemas.Task, error) {
	return s.decide(ctx, id, func(t schemas.Task, n schemas.Enforcement) (schemas.Event, bool) {
		_, ok := schemas.Next(n.Status, schemas.EventRetried)
		return schemas.Event{Type: schemas.EventRetried, Actor: actor, Alone: true, Generation: n.Generation + 1, Detail: "retried by " + actor}, ok
	}, "only enforcements that are unsuccessful or not_found can be retried")
}

func (s *Service) decide(ctx context.Context, id string, on func(schemas.Task, schemas.Enforcement) (schemas.Event, bool), why string) (schemas.Task, error) {
	now := s.Now()
	t, err := s.Ledger.Transition(ctx, id, func(t schemas.Task) ([]schemas.Event, error) {
		var out []schemas.Event
		for _, n := range t.Enforcements {
			if e, ok := on(t, n); ok {
				e.TaskID, e.At, e.DueAt, e.System = t.ID, now, now, n.System
				out = append(out, e)
			}
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("%w: the task is %s; %s", schemas.ErrState, t.Status, why)
		}
		return out, nil
	})
	if err == nil {
		s.wake(t)
	}
	return t, err
}

// Task gives one task.
func (s *Service) Task(ctx context.Context, id string) (schemas.Task, error) {
	return s.Ledger.Task(ctx, id)
}

// Events gives the history of one task, oldest first.
func (s *Service) Events(ctx context.Context, id string) ([]schemas.Event, error) {
	return s.Ledger.Events(ctx, id)
}

// Search gives a page of tasks, newest first.
func (s *Service) Search(ctx context.Context, q schemas.TaskQuery) (schemas.TaskPage, error) {
	return s.Ledger.Search(ctx, q)
}

// Callbacks gives a page of callbacks, newest first.
func (s *Service) Callbacks(ctx context.Context, q schemas.CallbackQuery) (schemas.CallbackPage, error) {
	return s.Ledger.Callbacks(ctx, q)
}

// Redeliver sends a settled callback once more. schemas.ErrState means that it is under way already.
func (s *Service) Redeliver(ctx context.Context, id string) (schemas.Callback, error) {
	c, err := s.Ledger.Redeliver(ctx, id, s.Now())
	if err == nil {
		s.feeders[CallbackQueue].kick()
	}
	return c, err
}
