package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// limboAfter is how long after the end of its lease a wake-up that asynq has not recovered is given up. asynq's own
// recovery takes less than two minutes.
const limboAfter = 10 * time.Minute

// limboScript removes what is on the active list without a lease, or with one that ended long ago. asynq never recovers
// such remains: the task's data is gone, or a script of asynq failed in its middle.
//
// KEYS: active, lease. ARGV: the latest end of a lease that ended long ago (Unix time), prefix of the task keys.
var limboScript = redis.NewScript(`
local removed = 0
for _, id in ipairs(redis.call("LRANGE", KEYS[1], 0, -1)) do
	local lease = redis.call("ZSCORE", KEYS[2], id)
	if not lease or tonumber(lease) <= tonumber(ARGV[1]) then
		redis.call("LREM", KEYS[1], 0, id)
		redis.call("ZREM", KEYS[2], id)
		redis.call("DEL", ARGV[2] .. id)
		removed = removed + 1
	end
end
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", ARGV[1])
return removed`)

// Tidy removes what dead workers left in Redis and gives how much it was: wake-ups that asynq archived, and those that it
// will never recover. It touches nothing that waits or that a living worker has, and may run at any time, on several
// replicas at once; once an hour is plenty. Enqueue does not need it: it frees an id when it meets remains. It is for the
// memory, and it keeps asynq's archive far below the size at which its own trimming fails.
func (q *Queue) Tidy(ctx context.Context) (int, error) {
	names, err := q.known(ctx)
	if err != nil {
		return 0, fmt.Errorf("tidying the queue at %s: %w", q.at, q.cause(ctx, err))
	}
	removed := 0
	var failed []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		l := &lane{full: name}
		archived, err := q.inspector.DeleteAllArchivedTasks(name)
		removed += archived
		if err == nil {
			var limbo int
			before := time.Now().Add(-limboAfter).Unix()
			limbo, err = limboScript.Run(ctx, q.client, []string{l.key("active"), l.key("lease")}, before, l.taskKey("")).Int()
			removed += limbo
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("tidying %s at %s: %w", name, q.at, q.cause(ctx, err)))
		}
	}
	// Servers that were killed stay listed. asynq drops them itself, but only when its tools ask for the list.
	now := strconv.FormatInt(time.Now().Unix()-1, 10)
	for _, key := range []string{keyServers, keyWorkers} {
		if err := q.client.ZRemRangeByScore(ctx, key, "-inf", now).Err(); err != nil {
			failed = append(failed, fmt.Errorf("tidying %s at %s: %w", key, q.at, q.cause(ctx, err)))
		}
	}
	return removed, errors.Join(failed...)
}

// known gives the full names of all queues with our prefix, those of this process and those that Redis knows, and tells
// Redis about ours: asynq does so once in a process, which a FLUSHALL undoes.
func (q *Queue) known(ctx context.Context) ([]string, error) {
	var ours []any
	for _, l := range q.all() {
		ours = append(ours, l.full)
	}
	if len(ours) > 0 {
		if err := q.client.SAdd(ctx, keyQueues, ours...).Err(); err != nil {
			return nil, err
		}
	}
	all, err := q.client.SMembers(ctx, keyQueues).Result()
	if err != nil {
		return nil, err
	}
	names := all[:0]
	for _, name := range all {
		if strings.HasPrefix(name, q.prefix+":") {
			names = append(names, name)
		}
	}
	return names, nil
}
