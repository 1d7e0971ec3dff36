package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// load is what a load run saw. Only the measured window counts, except in the two totals.
type load struct {
	Seconds     float64
	Answered    int // 202 within the window
	Unavailable int // 503 in the whole run
	Accepted    int // 202 in the whole run
	Times       samples
	failed      error
}

// rate is how many requests a second were accepted within the window.
func (l *load) rate() float64 { return float64(l.Answered) / l.Seconds }

// loadPlan bounds a load run in time and in count.
type loadPlan struct {
	conns    int
	warm     time.Duration // answers in this time are not measured
	measured time.Duration
	most     int    // so many messages, or 0 for as many as the time allows
	people   uint64 // about so many accounts, or 0 for one in each message
	// open and shut, if set, are called at the beginning and the end of the measured window.
	open, shut func()
}

// send makes load on addr until the plan ends. No answer is left unread, so that what was accepted is known exactly. An
// answer other than 202 and 503, and a broken connection, is an error.
func (t *template) send(ctx context.Context, addr string, p loadPlan) (*load, error) {
	senders := make([]*sender, p.conns)
	defer func() {
		for _, s := range senders {
			if s != nil {
				_ = s.conn.Close()
			}
		}
	}()
	for i := range senders {
		var err error
		if senders[i], err = t.dial(addr); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	from := time.Now().Add(p.warm)
	to := from.Add(p.measured)
	w := &window{from: from, to: to, next: &t.next, fail: cancel}
	w.left.Store(math.MaxInt64)
	if p.most > 0 {
		w.left.Store(int64(p.most))
	}
	parts := make([]load, p.conns)
	var wg sync.WaitGroup
	for i, s := range senders {
		wg.Go(func() { w.drive(ctx, s, &parts[i]) })
	}
	var marks sync.WaitGroup
	mark := func(at time.Time, do func()) {
		if do != nil {
			marks.Go(func() { time.Sleep(time.Until(at)); do() })
		}
	}
	mark(from, p.open)
	mark(to, p.shut)
	wg.Wait()
	ended := time.Now()
	marks.Wait()
	all := &load{Seconds: p.measured.Seconds()}
	if ended.Before(to) { // the count was reached before the time
		all.Seconds = ended.Sub(from).Seconds()
	}
	for _, one := range parts {
		all.Answered += one.Answered
		all.Accepted += one.Accepted
		all.Unavailable += one.Unavailable
		all.Times = append(all.Times, one.Times...)
		all.failed = errors.Join(all.failed, one.failed)
	}
	return all, all.failed
}

// window is what the connections of a run share.
type window struct {
	from, to time.Time
	left     atomic.Int64   // how many messages may still be sent
	next     *atomic.Uint64 // the number of the last message
	fail     context.CancelCauseFunc
}

// backOff is how long a sender waits after a 503; resetd asks for longer, but then the window would pass idle.
const backOff = 20 * time.Millisecond

func (w *window) drive(ctx context.Context, s *sender, into *load) {
	into.Times = make(samples, 0, 1<<14)
	for ctx.Err() == nil && w.left.Add(-1) >= 0 {
		n := w.next.Add(1)
		status, body, began, took, err := s.post(n)
		end := began.Add(took)
		switch {
		case err != nil:
			into.failed = fmt.Errorf("message %d: %w", n, err)
		case status == 202:
			into.Accepted++
			if end.After(w.from) && end.Before(w.to) {
				into.Answered++
				into.Times = append(into.Times, took)
			}
		case status == 503:
			into.Unavailable++
			w.left.Add(1) // another one takes its place
			time.Sleep(backOff)
		default:
			into.failed = fmt.Errorf("message %d was answered with HTTP %d: %s", n, status, body)
		}
		if into.failed != nil {
			w.fail(into.failed)
			return
		}
		if end.After(w.to) {
			return
		}
	}
}
