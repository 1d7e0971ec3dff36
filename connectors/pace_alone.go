package connectors

import (
	"context"
	"time"
)

// How often the common book is asked again while it cannot be reached, before and after a replica goes by its own share.
const (
	askSoon  = 100 * time.Millisecond
	askLater = time.Second
)

// left deals with a common book that cannot be reached. Other replicas may still use it, and turns that they reserved are
// still to come, so a replica goes by its own share only when the others can know that it does; until then it asks again.
// The caller holds mu.
func (p *pace) left(err error, now time.Time) {
	from, shares := p.pacer.Alone()
	if p.alone || now.Before(from) {
		pause := askSoon
		if p.alone {
			pause = askLater
		}
		time.AfterFunc(pause, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asking = false
			if p.running {
				p.wake()
			}
		})
		return
	}
	p.alone, p.asking, p.turns = true, false, nil
	part := inParts(p.every, shares)
	p.own, p.passed = schedule{next: now.Add(part)}, newRing(part)
	p.metrics.alone.WithLabelValues(p.system).Set(1)
	p.log.Warn().Err(err).Int("shares", shares).Msg("the rate of the system cannot be shared with the other replicas; " +
		"this one goes on with its own share of it: mend the queue's Redis")
	if p.running {
		p.wake()
	}
}

// ourselves tells whether turns are of our own schedule. The caller holds mu.
func (p *pace) ourselves() bool { return p.pacer == nil || p.every == 0 || p.alone }

// byOurselves gives turns of our own schedule: of the whole rate, or of our share of it. The caller holds mu.
func (p *pace) byOurselves(now time.Time, n int) []turn {
	every, good := p.interval(now), p.good
	if p.alone {
		_, shares := p.pacer.Alone()
		every = inParts(every, shares)
	}
	if good == grace && p.every > 0 { // the ring sees to it that no second is too full
		good = span
		if p.tight {
			every = divide(every, float64(span+slack)/float64(span+way))
		}
	}
	return p.own.take(now, stretch(every, p.throttle.now(now)), good, n)
}

// lookBack asks in the background whether the common book is back, now and then. The caller holds mu.
func (p *pace) lookBack(now time.Time) {
	if !p.asking && now.Sub(p.asked) > askLater {
		p.asking = true
		go p.ask(1)
	}
}

// refresh asks in the background for a pause that another replica has begun, where no turns are reserved by which it would
// be known. The caller holds mu.
func (p *pace) refresh(now time.Time) {
	if p.pacer == nil || p.asking || now.Sub(p.asked) < ahead {
		return
	}
	p.asking, p.asked = true, now
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), askLimit)
		defer cancel()
		_, _, held, err := p.pacer.Turns(ctx, p.system, 0, 0)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asking = false
		if err == nil {
			p.rest(held, time.Now())
		}
	}()
}

// tally counts the calls of about the last second.
type tally struct {
	began     time.Time
	now, last float64
}

func (t *tally) add(now time.Time) {
	switch past := now.Sub(t.began); {
	case past > 2*span:
		t.began, t.last, t.now = now, 0, 0
	case past > span:
		t.began, t.last, t.now = now, t.now, 0
	}
	t.now++
}

func (t *tally) count(now time.Time) float64 {
	past := min(1, now.Sub(t.began).Seconds())
	return t.now + t.last*(1-past)
}
