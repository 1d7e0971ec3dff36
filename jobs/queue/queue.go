package queue

import (
	"context"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/jobs"
)

// Queue implements jobs.Queue, and runs the workers that it wakes. It is safe for concurrent use.
type Queue struct {
	at      target
	prefix  string
	pullers int
	id      string // tells our own rings from other replicas'
	hold    time.Duration
	log     zerolog.Logger
	hide    *redactor

	client    client
	engine    *engine // nil unless embedded
	enqueuer  *asynq.Client
	inspector *asynq.Inspector
	health    *health
	herald    *herald // nil when embedded: there is no other replica
	metrics   *metrics
	synced    bool // Redis syncs its append-only file before every answer

	life       context.Context    //nolint:containedctx // of the background goroutines
	cancel     context.CancelFunc // ends them
	background sync.WaitGroup

	mu      sync.RWMutex
	lanes   map[string]*lane
	workers map[string]*Worker
	closed  bool
}

var _ jobs.Queue = (*Queue)(nil)

// String says where the queue is, without credentials.
func (q *Queue) String() string { return q.at.String() }
