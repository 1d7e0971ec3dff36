package queue

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// bell tells the workers of one queue when to look into it. It counts rings; a look that found nothing settles all rings
// that had come before it, and while every ring is settled nobody needs to look again.
type bell struct {
	counter prometheus.Counter

	mu      sync.Mutex
	rings   uint64    // so far
	settled uint64    // the rings that had come before the last look that found nothing
	looked  time.Time // when that was, or when somebody set out to look because of the time
	held    int       // how many wait

	// wake holds one token. It wakes one of those who wait; whoever finds something wakes the next. One ring for one
	// task thus costs one look, however many servers share the queue.
	wake chan struct{}
}

// newBell gives a bell that has been rung: nobody knows yet what is in the queue.
func newBell(counter prometheus.Counter) *bell {
	return &bell{counter: counter, rings: 1, wake: make(chan struct{}, 1)}
}

// ring says that something may have come. Call it after that is so.
func (b *bell) ring() {
	b.counter.Inc()
	b.mu.Lock()
	b.rings++
	b.mu.Unlock()
	b.nudge()
}

func (b *bell) nudge() {
	select {
	case b.wake <- struct{}{}:
	default: // the token is there already
	}
}

// wait returns when it is time to look: at once if a ring is not settled, else when one comes, or when nobody has looked
// for the time given. It gives the number to settle if nothing is found, and false when stop is closed.
func (b *bell) wait(stop <-chan struct{}, limit time.Duration) (mark uint64, look bool) {
	var timer *time.Timer
	for {
		b.mu.Lock()
		left := limit - time.Since(b.looked)
		if b.rings != b.settled || left <= 0 {
			// Setting the time keeps the others from looking for the same reason.
			b.looked = time.Now()
			mark = b.rings
			b.mu.Unlock()
			break
		}
		b.held++
		b.mu.Unlock()
		if timer == nil {
			timer = time.NewTimer(left)
			defer timer.Stop()
		} else {
			timer.Reset(left)
		}
		select {
		case <-b.wake:
		case <-timer.C:
		case <-stop:
		}
		b.mu.Lock()
		b.held--
		b.mu.Unlock()
		select {
		case <-stop:
			return 0, false
		default:
		}
	}
	select {
	case <-stop:
		return 0, false
	default:
		return mark, true
	}
}

// nothing settles the rings up to mark.
func (b *bell) nothing(mark uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled = max(b.settled, mark)
}

// found says that a look found something, so that there may be more: it wakes one more of those who wait.
func (b *bell) found() {
	b.mu.Lock()
	more := b.held > 0
	b.mu.Unlock()
	if more {
		b.nudge()
	}
}
