package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/jobs"
)

// taskType is the type of all our asynq tasks; the queue says what is to be done.
const taskType = "resetd:work"

// handlerLimit is asynq's own limit on a handler. It is out of the way: the ledger's lease governs.
const handlerLimit = 24 * time.Hour

// payload is all that Redis learns of a work.
type payload struct {
	Work       string `json:"work"`
	Task       string `json:"task"`
	Generation int    `json:"generation"`
}

// taskID is asynq's id of a wake-up. A new generation is a new wake-up.
func taskID(w jobs.Work) string { return w.ID + ":" + strconv.Itoa(w.Generation) }

// Enqueue puts a wake-up for a work's id and generation on its queue and rings the workers. After it returned nil the
// wake-up is on the queue or with a worker that is alive; one that is there already is no error. It gives an error within
// two seconds, and at once, wrapping ErrDown, while Redis is known to be gone; the wake-up may be on the queue even then.
func (q *Queue) Enqueue(ctx context.Context, w jobs.Work) error {
	l, err := q.lane(w.Queue)
	if err != nil {
		return err
	}
	if w.ID == "" {
		return errors.New("a work without an id can not be enqueued")
	}
	limited, cancel := context.WithTimeout(ctx, enqueueLimit)
	defer cancel()
	put, err := q.put(limited, l, w)
	if err != nil {
		l.failed.Inc()
		err = fmt.Errorf("enqueueing %s on %s at %s: %w", taskID(w), w.Queue, q.at, q.cause(ctx, err))
	} else if put {
		l.enqueued.Inc()
	}
	if !errors.Is(err, ErrDown) {
		// Rung even after an error: an answer that was lost does not mean that nothing was done.
		l.bell.ring()
		q.herald.tell(l)
	}
	return err
}

// put tells whether it put the wake-up there; false means that it was there before.
func (q *Queue) put(ctx context.Context, l *lane, w jobs.Work) (bool, error) {
	if q.health.down.Load() {
		return false, ErrDown
	}
	data, err := json.Marshal(payload{w.ID, w.TaskID, w.Generation})
	if err != nil {
		return false, err
	}
	// No retry (the ledger decides), no unique lock (its lock outlives a conflict of ids), no retention (it would keep the
	// id taken).
	task := asynq.NewTask(taskType, data, asynq.Queue(l.full), asynq.TaskID(taskID(w)), asynq.MaxRetry(0),
		asynq.Timeout(handlerLimit))
	for {
		_, err := q.enqueuer.EnqueueContext(ctx, task)
		if !errors.Is(err, asynq.ErrTaskIDConflict) {
			return err == nil, err
		}
		freed, err := q.free(ctx, l, taskID(w))
		if err != nil || !freed {
			return false, err
		}
	}
}

// cause gives back what asynq's errors lose: asynq keeps the text of an error from Redis, but not the error.
func (q *Queue) cause(ctx context.Context, err error) error {
	q.mu.RLock()
	closed := q.closed
	q.mu.RUnlock()
	var known error
	switch {
	case closed:
		return ErrClosed
	case ctx.Err() != nil:
		known = ctx.Err()
	case q.health.down.Load():
		known = ErrDown
	}
	err = q.hide.error(err)
	if known == nil || errors.Is(err, known) {
		return err
	}
	return fmt.Errorf("%w: %w", known, err)
}

const (
	// asynqLease is how long asynq leases a task to a worker. A worker that lives renews it every 5 s.
	asynqLease = 30 * time.Second
	// deadAfter is how much of a lease must be gone before the worker counts as dead. A worker that was only slow loses
	// nothing by it: the ledger's claim decides which of two may act.
	deadAfter = 6 * time.Second
)

// freeScript removes what a dead worker left of a wake-up, so that its id is free again: asynq itself would archive it
// after one to two minutes, and keep the id taken for 90 days. It gives 1 when the id is free.
//
// KEYS: task, active, lease, archived. ARGV: id, the end that the lease of a living worker has at least (Unix time).
var freeScript = redis.NewScript(`
local state = redis.call("HGET", KEYS[1], "state")
if not state then
	redis.call("DEL", KEYS[1])
	return 1
end
if state == "active" then
	local lease = redis.call("ZSCORE", KEYS[3], ARGV[1])
	if lease and tonumber(lease) >= tonumber(ARGV[2]) and redis.call("HEXISTS", KEYS[1], "msg") == 1 then
		return 0
	end
elseif state ~= "archived" then
	return 0
end
redis.call("LREM", KEYS[2], 0, ARGV[1])
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("ZREM", KEYS[4], ARGV[1])
redis.call("DEL", KEYS[1])
return 1`)

// free makes the id of a wake-up free if nobody is going to handle it.
func (q *Queue) free(ctx context.Context, l *lane, id string) (bool, error) {
	keys := []string{l.taskKey(id), l.key("active"), l.key("lease"), l.key("archived")}
	alive := time.Now().Add(asynqLease - deadAfter).Unix()
	n, err := freeScript.Run(ctx, q.client, keys, id, alive).Int()
	return n == 1, err
}
