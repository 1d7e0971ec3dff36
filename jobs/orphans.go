package jobs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// orphanChunk is how many of them are read at a time.
const orphanChunk = 200

// failOrphans ends the work of systems that the configuration no longer names: no worker will ever take it, and a task
// that never ends helps nobody. It can be retried once the system is back.
func (s *Service) failOrphans(ctx context.Context) error {
	backlog, err := s.Ledger.Backlog(ctx)
	if err != nil {
		return err
	}
	far := s.Now().Add(10 * 365 * 24 * time.Hour)
	for queue, n := range backlog {
		if n == 0 || isFollowQueue(queue) || slices.Contains(s.queues(), queue) { // who follows ends with its leader
			continue
		}
		system := strings.TrimPrefix(queue, QueueOf(""))
		s.Logger.Warn().Str("system", system).Int("tasks", n).Msg("this system is no longer configured; its open tasks end as unsuccessful")
		for left := n; left > 0; { // each one that ends is due no more
			due, err := s.Ledger.Due(ctx, queue, far, min(left, orphanChunk))
			if err != nil {
				return err
			}
			if len(due) == 0 {
				break
			}
			left -= len(due)
			for _, w := range due {
				if err := s.failOrphan(ctx, w, system); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// watchOrphans repeats that for what another replica, with an older configuration, has taken in or left behind since.
func (s *Service) watchOrphans(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.failOrphans(ctx); err != nil && ctx.Err() == nil {
				s.Logger.Warn().Err(err).Msg("cannot end the tasks of systems that are no longer configured; trying again in a minute")
			}
		}
	}
}

func (s *Service) failOrphan(ctx context.Context, w Work, system string) error {
	_, err := s.Ledger.Transition(ctx, w.TaskID, func(t schemas.Task) ([]schemas.Event, error) {
		n := t.Enforcement(w.ID)
		held := s.Now().Before(w.DueAt.Add(s.OrphanGrace)) // by a replica with another configuration, perhaps
		if n == nil || n.Status.Final() || s.OrphanGrace > 0 && held {
			return nil, nil
		}
		return []schemas.Event{{TaskID: t.ID, At: s.Now(), Type: schemas.EventFailed, Actor: "resetd", System: n.System,
			Code: schemas.CodeUnavailable, Detail: "the system " + system + " is no longer configured; configure it and retry the task"}}, nil
	})
	return err
}
