package connectors

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Turns are reserved for so long ahead, so that the replicas' common book is asked a few times a second and not for each
// call, and a slow answer costs none. More would let turns lie idle when callers leave, and others wait meanwhile.
const (
	ahead    = 200 * time.Millisecond
	mostAsk  = 1000
	askLimit = time.Second
)

// run gives turns to those who wait, until nobody does.
func (p *pace) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		again, more := p.step(time.Now())
		p.running = more
		p.mu.Unlock()
		if !more {
			return
		}
		timer.Reset(time.Until(again))
		select {
		case <-timer.C:
		case <-p.poke:
		}
	}
}

// step gives out the turns that are due and says when to look again, or that nobody waits. The caller holds mu.
func (p *pace) step(now time.Time) (again time.Time, more bool) {
	for {
		p.refuse(now)
		if p.waiting() == 0 {
			return now, false
		}
		if now.Before(p.held) {
			return p.held, true
		}
		if p.interval(now) == 0 { // it was only the pause, or the slower pace is over
			for p.waiting() > 0 {
				p.first().answer <- nil
				p.shift()
			}
			continue
		}
		p.expire(now)
		if ready := p.ready(); len(p.turns) > 0 && ready.After(now) {
			return ready, true
		}
		if len(p.turns) > 0 && !now.Before(p.turns[0].from) {
			p.grant(p.first(), now)
			continue
		}
		if p.reserve(now) {
			continue
		}
		if len(p.turns) > 0 {
			return p.turns[0].from, true
		}
		return now.Add(time.Minute), true // the answer of the Pacer wakes us
	}
}

// grant gives the first turn to a waiter.
func (p *pace) grant(w *waiter, now time.Time) {
	w.until, w.passed = p.turns[0].until, nil
	if p.ourselves() {
		w.until = time.Time{}
		if p.every > 0 {
			w.passed = p.passed.add(now)
		}
	}
	p.turns = p.turns[1:]
	w.answer <- nil
	p.shift()
}

// expire drops turns that came too late to be used.
func (p *pace) expire(now time.Time) {
	missed := 0
	for missed < len(p.turns) && now.After(p.turns[missed].until) {
		missed++
	}
	if missed == 0 {
		return
	}
	p.metrics.missed.WithLabelValues(p.system).Add(float64(missed))
	p.turns = p.turns[missed:]
	if p.ourselves() {
		p.turns = nil
		p.own.begin(now)
	}
}

// ready is when the turns of our own schedule may go on, however many are due.
func (p *pace) ready() time.Time {
	if p.ourselves() && p.every > 0 {
		return p.passed.ready()
	}
	return time.Time{}
}

func (p *pace) waiting() int { return len(p.line[0]) + len(p.line[1]) }

func (p *pace) first() *waiter {
	if len(p.line[0]) > 0 {
		return p.line[0][0]
	}
	return p.line[1][0]
}

func (p *pace) shift() {
	for i := range p.line {
		if len(p.line[i]) > 0 {
			p.line[i] = p.line[i][1:]
			return
		}
	}
}

// refuse sends those away for whom the wait is too long.
func (p *pace) refuse(now time.Time) {
	place := 0
	for class := range p.line {
		kept := p.line[class][:0]
		for _, w := range p.line[class] {
			turn, why := p.expected(place, now), "its rate is used up"
			paused := now.Before(p.held)
			if paused {
				turn, why = p.held, "it has asked for a pause"
			}
			if paused && turn.Sub(now) > patience || !w.deadline.IsZero() && turn.After(w.deadline) {
				w.answer <- &schemas.Failure{Code: schemas.CodeRateLimited, RetryAfter: turn.Sub(now),
					Detail: "the system " + p.system + " may not be called now: " + why + "; nothing was sent, and it goes on by itself"}
				continue
			}
			place++
			kept = append(kept, w)
		}
		clear(p.line[class][len(kept):])
		p.line[class] = kept
	}
}

// expected is about when the n-th of those who wait, from 0, gets a turn.
func (p *pace) expected(n int, now time.Time) time.Time {
	last := now
	if have := len(p.turns); n < have {
		return p.turns[n].from
	} else if have > 0 {
		last, n = p.turns[have-1].from, n-have+1
	}
	return last.Add(time.Duration(n) * p.interval(now))
}

// reserve takes more turns when those in hand run out. It tells whether there are new ones. The caller holds mu.
func (p *pace) reserve(now time.Time) bool {
	every := p.interval(now)
	n := min(p.waiting()-len(p.turns), mostAsk, 1+int((ahead+p.trip)/every))
	if n <= 0 || len(p.turns) > 0 && p.turns[len(p.turns)-1].from.Sub(now) > ahead/2+2*p.trip {
		return false
	}
	switch {
	case p.ourselves():
		p.turns = append(p.turns, p.byOurselves(now, n)...)
		if p.alone {
			p.lookBack(now)
		}
		return true
	case !p.asking:
		p.asking = true
		go p.ask(n)
	}
	return false
}

// ask reserves turns in the replicas' common book.
func (p *pace) ask(n int) {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	began := time.Now()
	turns, share, held, err := p.pacer.Turns(ctx, p.system, p.every, n)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.asked = now
	if err != nil {
		p.left(err, now)
		return
	}
	p.trip = (p.trip + now.Sub(began)) / 2
	p.asking, p.share = false, share
	if p.alone {
		p.alone = false
		p.metrics.alone.WithLabelValues(p.system).Set(0)
		p.turns = nil // of our own share
		p.log.Info().Msg("the rate of the system is shared with the other replicas again")
	}
	for _, t := range turns {
		p.turns = append(p.turns, turn{t[0], t[1].Add(p.good)})
	}
	p.rest(held, now)
	if p.running {
		p.wake()
	}
}
