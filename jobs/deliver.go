package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
)

// recordTime is how long a worker whose context has ended may take to record what it has delivered.
const recordTime = 2 * time.Second

// HandleCallback is what a worker does with a wake-up of the callback queue: it claims the callback, rebuilds from the
// history what it tells, sends it, and records the attempt. It never decides anything about the reset itself.
func (s *Service) HandleCallback(ctx context.Context, w Work) {
	f := s.feeders[CallbackQueue]
	defer f.done(w)
	if s.leases.busy(w.ID) {
		return
	}
	until := s.Now().Add(s.Timing.Lease)
	c, err := s.Ledger.ClaimCallback(ctx, w.ID, w.Generation, until)
	if err != nil {
		if !errors.Is(err, schemas.ErrState) && !errors.Is(err, schemas.ErrNotFound) {
			s.Logger.Warn().Err(err).Str("task", w.TaskID).Msg("cannot claim a callback; the sweep brings it back")
		}
		return
	}
	log := s.Logger.With().Str("task", c.TaskID).Str("source", c.Source).Logger()
	ctx, _, release := s.leases.hold(log.WithContext(ctx), Work{ID: c.ID, TaskID: c.TaskID, Queue: CallbackQueue, Generation: c.Generation}, until)
	defer release()
	told, err := s.callbackTask(ctx, c)
	if err != nil {
		log.Error().Err(err).Str("callback", c.ID).Msg("cannot rebuild the callback; the sweep brings it back")
		return
	}
	attempt, retryAfter := s.Poster.Post(ctx, c, told)
	if ctx.Err() != nil {
		if attempt.Error != "" && len(attempt.Done) <= len(c.Done()) {
			return
		}
		// Something was delivered, and not every receiver knows a message that it has seen: it must not be lost that it was.
		// If the claim went to somebody else meanwhile, the ledger refuses this.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		defer cancel()
	}
	if attempt.Error == schemas.AttemptBusy {
		s.putOff(ctx, c, max(retryAfter, time.Second))
		return
	}
	state, due := s.afterAttempt(c, attempt, retryAfter)
	if err := s.Ledger.RecordAttempt(ctx, c.ID, c.Generation, attempt, state, due); err != nil {
		log.Error().Err(err).Str("callback", c.ID).Msg("cannot record the attempt; the callback may be sent once more with the same id")
		return
	}
	s.count.callbacks.WithLabelValues(c.Source, string(state)).Inc()
	event := log.Info()
	if state == schemas.CallbackDead {
		event = log.Warn()
	}
	event.Str("callback", c.ID).Str("code", string(state)).Int("http_status", attempt.HTTPStatus).Str("error", attempt.Error).
		Int64("took", attempt.TookMS).Msg("callback")
}

// callbackTask gives the task as it was when the callback became due: the fold of its first events, without sealed
// passwords, which are for those who may read the task here.
func (s *Service) callbackTask(ctx context.Context, c schemas.Callback) (schemas.Task, error) {
	t, err := s.Ledger.Task(ctx, c.TaskID)
	if err != nil {
		return t, err
	}
	if t.Version != c.Version {
		events, err := s.Ledger.Events(ctx, c.TaskID)
		if err != nil {
			return t, err
		}
		t = schemas.Task{}
		for _, e := range events[:min(c.Version, len(events))] {
			if t, err = t.Apply(e); err != nil {
				return t, fmt.Errorf("fold the history: %w", err)
			}
		}
	}
	return t.Message().Data, nil
}

// afterAttempt decides what follows: delivered, another attempt at a time, or given up.
func (s *Service) afterAttempt(c schemas.Callback, a schemas.Attempt, retryAfter time.Duration) (schemas.CallbackState, time.Time) {
	if a.Error == "" {
		return schemas.CallbackDelivered, time.Time{}
	}
	// Gone asks never to be called again; without a reference there is nobody to be called.
	if a.HTTPStatus == http.StatusGone || a.Error == schemas.AttemptNoReference {
		return schemas.CallbackDead, time.Time{}
	}
	delay, again := s.NextDelay(c.Attempts+1, retryAfter)
	if !again {
		return schemas.CallbackDead, time.Time{}
	}
	return schemas.CallbackPending, s.Now().Add(delay)
}

// putOff brings a callback back later that was never sent, because too many others wait for the same receiver. It is no
// attempt: the claim is only moved to the time at which it runs out.
func (s *Service) putOff(ctx context.Context, c schemas.Callback, wait time.Duration) {
	w := Work{ID: c.ID, TaskID: c.TaskID, Queue: CallbackQueue, Generation: c.Generation}
	if _, err := s.Ledger.Renew(ctx, []Work{w}, s.Now().Add(wait)); err != nil {
		s.Logger.Warn().Err(err).Str("task", c.TaskID).Msg("cannot put a callback off; the sweep brings it back")
	}
}
