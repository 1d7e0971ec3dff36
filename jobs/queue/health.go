package queue

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrDown says that Redis did not answer lately, so that nothing was sent to it. The ledger's sweep enqueues again.
var ErrDown = errors.New("redis does not answer")

// health knows whether Redis answers. The first command that finds it gone marks it as down; from then on every command
// fails at once, except for the pings of watch, which mark it as up again. It is a hook of the client, so that asynq's own
// commands pass through it too.
type health struct {
	q    *Queue
	down atomic.Bool
	kick chan struct{} // one token: go and ping

	mu sync.Mutex
	up chan struct{} // closed while Redis is up
}

func newHealth(q *Queue) *health {
	h := &health{q: q, kick: make(chan struct{}, 1), up: make(chan struct{})}
	close(h.up)
	return h
}

// DialHook changes nothing.
func (h *health) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook fails at once while Redis is down, and notes what came of a command.
func (h *health) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if h.down.Load() && !greets(cmd.Name()) {
			cmd.SetErr(ErrDown)
			return ErrDown
		}
		err := next(ctx, cmd)
		if gone(err) {
			h.mark()
		}
		return err
	}
}

// ProcessPipelineHook changes nothing: only go-redis itself sends pipelines, to set up a connection.
func (h *health) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// greets tells whether a command is how watch asks, or one that go-redis sends first on the connection on which watch
// asks. go-redis runs these inside the hooks of the command that needed the connection.
func greets(name string) bool { return name == "ping" || name == "hello" || name == "auth" }

// gone tells whether an error means that Redis is not there, rather than that it said no, that the caller gave up, or
// that all our connections are busy.
func gone(err error) bool {
	var said redis.Error
	var network net.Error
	var operation *net.OpError
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, redis.ErrClosed), errors.Is(err, redis.ErrPoolTimeout),
		errors.Is(err, context.Canceled), errors.Is(err, ErrDown):
		return false
	case errors.As(err, &said):
		return redis.HasErrorPrefix(err, "LOADING") || redis.HasErrorPrefix(err, "NOAUTH") || redis.HasErrorPrefix(err, "WRONGPASS")
	case errors.As(err, &operation) && operation.Op == "dial":
		return true
	case errors.As(err, &network) && network.Timeout():
		return !errors.Is(err, context.DeadlineExceeded) // that would be the caller's own deadline
	}
	return true
}

// mark notes that Redis is gone and has it looked after.
func (h *health) mark() {
	h.mu.Lock()
	fresh := h.down.CompareAndSwap(false, true)
	if fresh {
		h.up = make(chan struct{})
	}
	h.mu.Unlock()
	if !fresh {
		return
	}
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// recovered notes that Redis has answered.
func (h *health) recovered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down.CompareAndSwap(true, false) {
		close(h.up)
	}
}

// watch pings a Redis that is down until it answers. A single lost connection is over before anybody is told.
func (h *health) watch(life context.Context) {
	log := h.q.log
	for {
		select {
		case <-life.Done():
			return
		case <-h.kick:
		}
		since, told := time.Now(), false
		for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
			ctx, cancel := context.WithTimeout(life, enqueueLimit)
			err := h.q.client.Ping(ctx).Err()
			cancel()
			if err == nil {
				break
			}
			if !told {
				told = true
				h.q.metrics.up.Set(0)
				log.Warn().Err(h.q.hide.error(err)).Msg("redis does not answer: accepted work is safe in the ledger and goes on when " +
					"Redis is back; check the server and the network")
			}
			select {
			case <-life.Done():
				return
			case <-time.After(pause):
			}
		}
		h.recovered()
		if told {
			h.q.metrics.up.Set(1)
			log.Info().Dur("took", time.Since(since)).Msg("redis is back")
		}
		h.q.ringAll()
	}
}

// await returns true as soon as Redis is up, and false when stop is closed or the time is over before.
func (h *health) await(stop <-chan struct{}, limit time.Duration) bool {
	if !h.down.Load() {
		return true
	}
	h.mu.Lock()
	up := h.up
	h.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-up:
		return true
	case <-stop:
	case <-timer.C:
	}
	return false
}
