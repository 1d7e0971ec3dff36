package jobs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// failOrphans ends the work of systems that the configuration no longer names: no worker will ever take it, and a task
// that never ends helps nobody. It can be retried once the system is back.
func (s *Service) failOrphans(ctx context.Context) error {
	backlog, err := s.Ledger.Backlog(ctx)
	if err != nil {
		return err
	}
	far := s.Now().Add(10 * 365 * 24 * time.Hour)
	for queue, n := range backlog {
		if n == 0 || slices.Contains(s.queues(), queue) {
			continue
		}
		system := strings.TrimPrefix(queue, QueueOf(""))
		s.Logger.Warn().Str("system", system).Int("tasks", n).Msg("this system is no longer configured; its open tasks end as unsuccessful")
		for after := (Work{}); ; {
			due, err := s.Ledger.Due(ctx, queue, far, after, 200)
			if err != nil {
				return err
			}
			if len(due) == 0 {
				break
			}
			for _, w := range due {
				if err := s.failOrphan(ctx, w, system); err != nil {
					return err
				}
				after = w
			}
		}
	}
	return nil
}

func (s *Service) failOrphan(ctx context.Context, w Work, system string) error {
	_, err := s.Ledger.Transition(ctx, w.TaskID, func(t schemas.Task) ([]schemas.Event, error) {
		n := t.Enforcement(w.ID)
		if n == nil || n.Status.Final() {
			return nil, nil
		}
		return []schemas.Event{{TaskID: t.ID, At: s.Now(), Type: schemas.EventFailed, Actor: "resetd", System: n.System,
			Code: schemas.CodeUnavailable, Detail: "the system " + system + " is no longer configured; configure it and retry the task"}}, nil
	})
	return err
}
