package queue

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// clockStep is how often the embedded engine is told that time passes. Only statistics and signs of life of asynq have an
// expiry there.
const clockStep = time.Second

// engine is a Redis inside the process. It listens nowhere: connections are pipes in memory, so nobody else can put work
// on the queue. It keeps nothing; the ledger's sweep fills it after a start.
//
// miniredis runs the clock only when told. ClockTTL would sort all keys on every command, so time is moved in steps.
type engine struct {
	redis *miniredis.Miniredis
	db    *miniredis.RedisDB
	stop  chan struct{}
	done  chan struct{}

	// mu makes the scripts that native.go runs atomic: they hold it alone, every other command shares it.
	mu sync.RWMutex
}

func newEngine() *engine {
	e := &engine{redis: miniredis.NewMiniRedis(), stop: make(chan struct{}), done: make(chan struct{})}
	e.db = e.redis.DB(0)
	go e.runClock()
	return e
}

// client gives a client of the engine. Whoever closes the engine closes it first.
func (e *engine) client() client {
	c := redis.NewClient(&redis.Options{
		Addr:   "embedded",
		Dialer: func(context.Context, string, string) (net.Conn, error) { return e.redis.Dial() },
		// As for a real Redis, see target.options, but nothing can be lost on the way.
		Protocol: 2, DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
		PoolSize: 16, PipelinePoolSize: -1, ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10,
	})
	c.AddHook(e)
	return c
}

func (e *engine) runClock() {
	defer close(e.done)
	tick := time.NewTicker(clockStep)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			e.redis.FastForward(clockStep)
		}
	}
}

// close ends the engine. A nil engine has nothing to end.
func (e *engine) close() {
	if e == nil {
		return
	}
	close(e.stop)
	<-e.done
	e.redis.Close()
}
