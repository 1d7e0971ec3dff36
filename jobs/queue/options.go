package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// Options says which Redis is used, and how.
type Options struct {
	// URL is "embedded" or names a Redis; see [Describe] for its forms.
	URL string
	// Password is the Redis user's password, for those who keep it out of the URL. Giving two is an error.
	Password schemas.Secret
	// Prefix keeps installations on one Redis apart. It begins every queue's name there. Empty means "resetd".
	Prefix string
	// Pullers is how many asynq servers share a queue's concurrency, each with one goroutine that takes work off the
	// queue. Zero lets the queue choose: four when Redis syncs its append-only file before every answer, so that they
	// share a sync, one otherwise.
	Pullers int
	// Logger gets what an operator should know; passwords are taken out.
	Logger zerolog.Logger
	// Registerer gets the metrics. Nil means none.
	Registerer prometheus.Registerer
}

const (
	enqueueLimit = 2 * time.Second // one enqueue against a Redis that hangs
	startLimit   = 5 * time.Second // the first answer; a Redis that is loading its data gets loadLimit
	loadLimit    = 60 * time.Second

	// How long an empty queue is left alone when nobody rings. Rings between processes may be lost, so this bounds the
	// delay they cost. Rings inside the process are not lost; there it is only a belt to the braces.
	holdRedis    = time.Second
	holdEmbedded = 5 * time.Second
)

// ErrClosed is what every call gives after Close.
var ErrClosed = errors.New("the queue is closed")

// Open connects to the Redis of the options, or starts the embedded engine, and checks that it can be used. The context
// bounds the opening only. An error names the server, without credentials, and what to do. Close releases everything.
// go-redis has one logger for the whole process, which becomes that of the queue opened last.
func Open(ctx context.Context, o Options) (*Queue, error) {
	at, err := parse(o.URL, o.Password)
	if err != nil {
		return nil, err
	}
	if o.Prefix == "" {
		o.Prefix = "resetd"
	}
	if strings.ContainsAny(o.Prefix, "{}\n\r\t ") {
		return nil, fmt.Errorf("the queue's prefix %q has braces or white space: Redis Cluster reads braces itself, so choose another", o.Prefix)
	}
	if o.Pullers < 0 {
		return nil, fmt.Errorf("the queue can not have %d pullers: leave it at 0 to let the queue choose", o.Pullers)
	}
	q := &Queue{
		at: at, prefix: o.Prefix, pullers: o.Pullers, id: uuid.NewString(), hold: holdRedis,
		log: o.Logger.With().Str("queue_at", at.String()).Logger(), hide: hide(at.secrets()...),
		lanes: map[string]*lane{}, workers: map[string]*Worker{},
	}
	q.metrics = newMetrics(q)
	q.health = newHealth(q)
	if at.kind == embedded {
		q.hold = holdEmbedded
		q.engine = newEngine()
		q.client = q.engine.client()
	} else {
		q.client, err = at.client()
		if err != nil {
			return nil, err
		}
		q.client.AddHook(q.health)
		redis.SetLogger(redisLog{q.log, q.hide})
		if err := q.examine(ctx); err != nil {
			_ = q.client.Close() // the error that matters is on its way
			return nil, err
		}
	}
	q.enqueuer = asynq.NewClientFromRedisClient(q.client)
	q.inspector = asynq.NewInspectorFromRedisClient(q.client)
	if err := q.metrics.register(o.Registerer); err != nil {
		_ = q.client.Close()
		q.engine.close()
		return nil, err
	}
	life, cancel := context.WithCancel(context.Background())
	q.life, q.cancel = life, cancel
	if q.engine == nil {
		q.herald = newHerald(q)
		q.background.Go(func() { q.health.watch(life) })
		q.background.Go(func() { q.herald.speak(life) })
		q.background.Go(func() { q.herald.listen(life) })
	}
	return q, nil
}
