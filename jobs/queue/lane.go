package queue

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// lane is one queue: its names and its bell.
type lane struct {
	name string // as the jobs call it
	full string // as asynq calls it: prefix:name
	bell *bell

	enqueued prometheus.Counter
	failed   prometheus.Counter
}

// lane gives the lane of a queue's name, or ErrClosed.
func (q *Queue) lane(name string) (*lane, error) {
	q.mu.RLock()
	l, ok := q.lanes[name]
	closed := q.closed
	q.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case ok:
		return l, nil
	}
	// Braces would change the slot of the keys in Redis Cluster (hibiken/asynq issue 480).
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '{' || r == '}' || r == 0x7f }) {
		return nil, fmt.Errorf("the queue's name %q is empty or has braces, white space or control characters: rename the system", name)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if l, ok := q.lanes[name]; ok {
		return l, nil
	}
	l = &lane{
		name: name, full: q.prefix + ":" + name,
		enqueued: q.metrics.enqueued.WithLabelValues(name),
		failed:   q.metrics.failed.WithLabelValues(name),
	}
	l.bell = newBell(q.metrics.rings.WithLabelValues(name))
	q.lanes[name] = l
	return l, nil
}

// all gives the lanes there are.
func (q *Queue) all() []*lane {
	q.mu.RLock()
	defer q.mu.RUnlock()
	lanes := make([]*lane, 0, len(q.lanes))
	for _, l := range q.lanes {
		lanes = append(lanes, l)
	}
	return lanes
}

// ringAll wakes every queue: after Redis came back nobody knows what is in it.
func (q *Queue) ringAll() {
	for _, l := range q.all() {
		l.bell.ring()
	}
}

// The keys of asynq v0.26.0 (internal/base/base.go) that we read ourselves. A test compares them with what asynq writes.

func (l *lane) key(part string) string   { return "asynq:{" + l.full + "}:" + part }
func (l *lane) taskKey(id string) string { return l.key("t:") + id }

const (
	keyQueues  = "asynq:queues"
	keyServers = "asynq:servers"
	keyWorkers = "asynq:workers"
)
