package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/jobs"
)

// Waiting tells whether the wake-up is on its queue and no worker has taken it yet. One that a worker has, or had when it
// died, is not waiting.
func (q *Queue) Waiting(ctx context.Context, w jobs.Work) (bool, error) {
	l, err := q.lane(w.Queue)
	if err != nil {
		return false, err
	}
	// The Inspector's GetTaskInfo asks for the same field, by two commands, and fails after a FLUSHALL because asynq
	// publishes a queue's name only once in a process.
	state, err := q.client.HGet(ctx, l.taskKey(taskID(w)), "state").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, q.explain(ctx, "asking for a wake-up on", w.Queue, err)
	}
	return state == "pending", nil
}

// Depth gives how many wake-ups are on a queue, not counting those that workers have.
func (q *Queue) Depth(ctx context.Context, queue string) (int, error) {
	l, err := q.lane(queue)
	if err != nil {
		return 0, err
	}
	n, err := q.client.LLen(ctx, l.key("pending")).Result()
	if err != nil {
		return 0, q.explain(ctx, "counting", queue, err)
	}
	return int(n), nil
}

// Pause keeps workers, on all replicas, from taking anything more off a queue; work that they have goes on. Enqueueing
// stays possible. Pausing a paused queue is no error. Redis may forget a pause as it may forget everything: whoever
// means it for long keeps it in the ledger and repeats it.
func (q *Queue) Pause(ctx context.Context, queue string) error {
	return q.setPaused(ctx, queue, true)
}

// Resume ends a Pause; workers look into the queue at once. Resuming a queue that is not paused is no error.
func (q *Queue) Resume(ctx context.Context, queue string) error {
	return q.setPaused(ctx, queue, false)
}

func (q *Queue) setPaused(ctx context.Context, queue string, pause bool) error {
	l, err := q.lane(queue)
	if err != nil {
		return err
	}
	if pause {
		err = q.inspector.PauseQueue(l.full)
	} else {
		err = q.inspector.UnpauseQueue(l.full)
	}
	if err != nil {
		// The Inspector gives the same kind of error for a Redis that failed and for a queue that is so already.
		paused, askErr := q.Paused(ctx, queue)
		if askErr != nil {
			return askErr
		}
		if paused != pause {
			return q.explain(ctx, "pausing or resuming", queue, err)
		}
	}
	l.bell.ring()
	q.herald.tell(l)
	return nil
}

// Paused tells whether a queue is paused.
func (q *Queue) Paused(ctx context.Context, queue string) (bool, error) {
	l, err := q.lane(queue)
	if err != nil {
		return false, err
	}
	n, err := q.client.Exists(ctx, l.key("paused")).Result()
	if err != nil {
		return false, q.explain(ctx, "asking for the pause of", queue, err)
	}
	return n == 1, nil
}

func (q *Queue) explain(ctx context.Context, what, queue string, err error) error {
	return fmt.Errorf("%s %s at %s: %w", what, queue, q.at, q.cause(ctx, err))
}
