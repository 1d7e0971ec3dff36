package queue

import (
	"context"
	"net"
	"reflect"
	"sync"
	"time"
	"unsafe"

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
			e.forgetVersions()
		}
	}
}

// manyVersions is how many versions of keys the engine may keep, at about 130 bytes each.
const manyVersions = 2_000

// forgetVersions empties miniredis's table of key versions when it has grown. miniredis counts there how often each key
// was changed, for WATCH, and never drops a key: every wake-up has a key of its own, so a busy process would grow without
// end. Nothing here uses WATCH. The table is not exported; should a later version of miniredis keep it elsewhere, nothing
// is done, and a test fails.
func (e *engine) forgetVersions() {
	field := reflect.ValueOf(e.db).Elem().FieldByName("keyVersion")
	if !field.IsValid() || field.Type() != reflect.TypeFor[map[string]uint]() {
		return
	}
	e.redis.Lock()
	defer e.redis.Unlock()
	if versions := *(*map[string]uint)(unsafe.Pointer(field.UnsafeAddr())); len(versions) > manyVersions {
		clear(versions)
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
