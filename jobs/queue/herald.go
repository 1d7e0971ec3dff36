package queue

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// heraldGap is the least time between two messages: thousands of enqueues become a few messages.
const heraldGap = 5 * time.Millisecond

// herald carries rings between replicas by Redis pub/sub. A message is the sender's id and the names of the queues that
// were rung, one a line. A message that is lost costs the other replicas up to holdRedis.
type herald struct {
	q       *Queue
	channel string
	some    chan struct{} // one token: dirty is not empty

	mu    sync.Mutex
	dirty map[string]struct{}
}

func newHerald(q *Queue) *herald {
	return &herald{q: q, channel: q.prefix + ":rings", some: make(chan struct{}, 1), dirty: map[string]struct{}{}}
}

// tell has a ring of the queue sent soon. It does not wait. A nil herald does nothing.
func (h *herald) tell(l *lane) {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.dirty[l.name] = struct{}{}
	h.mu.Unlock()
	select {
	case h.some <- struct{}{}:
	default:
	}
}

// speak sends what was told until the queue closes.
func (h *herald) speak(life context.Context) {
	for {
		select {
		case <-life.Done():
			return
		case <-h.some:
		}
		h.mu.Lock()
		names := make([]string, 0, len(h.dirty)+1)
		names = append(names, h.q.id)
		for name := range h.dirty {
			names = append(names, name)
		}
		clear(h.dirty)
		h.mu.Unlock()
		ctx, cancel := context.WithTimeout(life, enqueueLimit)
		_ = h.q.client.Publish(ctx, h.channel, strings.Join(names, "\n")).Err() // a lost ring is made good by time
		cancel()
		select {
		case <-life.Done():
			return
		case <-time.After(heraldGap):
		}
	}
}

// listen rings what other replicas tell until the queue closes. go-redis subscribes again after a lost connection.
func (h *herald) listen(life context.Context) {
	subscription := h.q.client.Subscribe(life, h.channel)
	messages := subscription.Channel(redis.WithChannelHealthCheckInterval(15 * time.Second))
	for {
		select {
		case <-life.Done():
			_ = subscription.Close() // nothing is expected from it any more
			return
		case message, ok := <-messages:
			if !ok {
				return
			}
			h.hear(message.Payload)
		}
	}
}

func (h *herald) hear(payload string) {
	names := strings.Split(payload, "\n")
	if names[0] == h.q.id {
		return
	}
	for _, name := range names[1:] {
		h.q.mu.RLock()
		l, ok := h.q.lanes[name]
		h.q.mu.RUnlock()
		if ok { // a queue that this replica knows
			l.bell.ring()
		}
	}
}
