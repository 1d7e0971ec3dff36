package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// puller is the client that one asynq server gets. It lets every command through but the script by which the server takes
// work off its queue: that one it holds back while there is nothing to take. asynq believes that the answer took long,
// so that a short TaskCheckInterval costs nothing.
type puller struct {
	redis.UniversalClient
	lane    *lane
	health  *health
	hold    time.Duration
	stop    <-chan struct{}
	pending string
	paused  string

	pause time.Duration // after an error; only the server's one dequeueing goroutine comes here
}

func newPuller(q *Queue, l *lane, stop <-chan struct{}) *puller {
	return &puller{
		UniversalClient: q.client, lane: l, health: q.health, hold: q.hold, stop: stop,
		pending: l.key("pending"), paused: l.key("paused"),
	}
}

// EvalSha runs a script by its digest.
func (p *puller) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if !p.takes(keys) {
		return p.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	return p.pull(ctx, func() *redis.Cmd { return p.UniversalClient.EvalSha(ctx, sha, keys, args...) })
}

// Eval runs a script by its text, which is what asynq does when Redis does not know the digest.
func (p *puller) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	if !p.takes(keys) {
		return p.UniversalClient.Eval(ctx, script, keys, args...)
	}
	return p.pull(ctx, func() *redis.Cmd { return p.UniversalClient.Eval(ctx, script, keys, args...) })
}

// takes recognises the dequeueing script by its keys: pending, paused, active, lease. No other script of asynq begins
// with the pending list and the paused mark.
func (p *puller) takes(keys []string) bool {
	return len(keys) == 4 && keys[0] == p.pending && keys[1] == p.paused
}

func (p *puller) pull(ctx context.Context, call func() *redis.Cmd) *redis.Cmd {
	mark, look := p.lane.bell.wait(p.stop, p.hold)
	if !look || !p.health.await(p.stop, p.hold) {
		return empty(ctx)
	}
	cmd := call()
	switch err := cmd.Err(); {
	case err == nil:
		p.pause = 0
		p.lane.bell.found()
	case errors.Is(err, redis.Nil):
		p.pause = 0
		p.lane.bell.nothing(mark)
	case redis.HasErrorPrefix(err, "NOSCRIPT"): // asynq sends the text next
	default:
		// asynq would ask again at once. Errors that Redis itself gives (memory full, disk full, read-only) it logs.
		p.rest()
		if gone(err) || errors.Is(err, ErrDown) {
			return empty(ctx)
		}
	}
	return cmd
}

// rest waits longer after each error in a row, up to a second.
func (p *puller) rest() {
	p.pause = min(max(2*p.pause, 20*time.Millisecond), time.Second)
	timer := time.NewTimer(p.pause)
	defer timer.Stop()
	select {
	case <-p.stop:
	case <-timer.C:
	}
}

// empty is the answer of a queue with nothing in it.
func empty(ctx context.Context) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(redis.Nil)
	return cmd
}
