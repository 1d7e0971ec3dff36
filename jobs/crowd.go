package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// How many of those that others wait for are looked at in one sweep, how many of those that wait for one are read at a time,
// and how many are given their end at the same time (they share the ledger's commits).
const (
	sweepLeaders = 256
	crowdChunk   = 512
	crowdHands   = 64
)

// How much of its time a sweep that found nothing to do may take: one part in sweepShare, unless it comes again more than
// sweepRest times as late as it should. One that has ended something comes again in time, since more may follow from it.
const (
	sweepShare = 50
	sweepRest  = 10
)

// rememberedCrowds bounds what is remembered of those that are waited for.
const rememberedCrowds = 16384

// crowd ends those that wait for another task when that one ends: at once if it ends in this process, and otherwise with
// the next sweep. Waiting costs nothing: no worker, no write, and of the queue nothing at all.
type crowd struct {
	svc *Service

	mu       sync.Mutex
	expected map[string]bool // enforcements that others wait for, as far as this process has made them wait
	ready    map[string]bool // those of them that may have ended
	signal   chan struct{}
}

func newCrowd(s *Service) *crowd {
	return &crowd{svc: s, expected: map[string]bool{}, ready: map[string]bool{}, signal: make(chan struct{}, 1)}
}

// expect notes that others wait for an enforcement.
func (c *crowd) expect(enforcement string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.expected) >= rememberedCrowds { // the sweep finds those that are forgotten
		clear(c.expected)
	}
	c.expected[enforcement] = true
}

// kick has those looked at that wait for an enforcement, if this process knows of any.
func (c *crowd) kick(enforcement string) {
	c.mu.Lock()
	known := c.expected[enforcement]
	if known {
		c.ready[enforcement] = true
	}
	c.mu.Unlock()
	if !known {
		return
	}
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

func (c *crowd) take() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ready := c.ready
	c.ready = map[string]bool{}
	return ready
}

func (c *crowd) forget(enforcement string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.expected, enforcement)
}

func (c *crowd) run(ctx context.Context) {
	after := ""
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.signal:
			for enforcement := range c.take() {
				c.settle(ctx, enforcement)
			}
		case <-next.C:
			var ended int
			began := time.Now()
			after, ended = c.sweep(ctx, after)
			next.Reset(c.pause(time.Since(began), ended))
		}
	}
}

// pause gives how long after a sweep the next one begins.
func (c *crowd) pause(took time.Duration, ended int) time.Duration {
	usual := c.svc.Timing.Sweep
	if ended > 0 {
		return usual
	}
	return min(max(usual, sweepShare*took), sweepRest*usual)
}

// sweep looks at some of those that others wait for, from where the last one stopped. It gives where the next one begins,
// and how many have stopped waiting.
func (c *crowd) sweep(ctx context.Context, after string) (next string, ended int) {
	ids, err := c.svc.Ledger.Followed(ctx, after, sweepLeaders)
	if err != nil {
		if ctx.Err() == nil {
			c.svc.Logger.Warn().Err(err).Msg("cannot read from the ledger which tasks wait for others; trying again in a second")
		}
		return after, 0
	}
	for _, id := range ids {
		ended += c.settle(ctx, id)
	}
	if len(ids) < sweepLeaders {
		return "", ended
	}
	return ids[len(ids)-1], ended
}

// settle deals with all that wait for an enforcement, if it has ended or is gone. It gives how many have stopped waiting.
func (c *crowd) settle(ctx context.Context, enforcement string) (ended int) {
	s := c.svc
	leader, n, err := s.leaderOf(ctx, enforcement)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			s.Logger.Warn().Err(err).Str("task", schemas.TaskOf(enforcement)).Msg("cannot read a task that others wait for; trying again in a second")
		}
		return 0
	case n != nil && !n.Status.Final():
		return 0
	}
	c.forget(enforcement)
	for {
		works, err := s.Ledger.Due(ctx, FollowQueue(enforcement), s.Now().Add(farAhead), crowdChunk)
		if err != nil || len(works) == 0 {
			return ended // an error of the ledger is told by the sweep, which comes again
		}
		gone := c.dismiss(ctx, leader, n, works)
		if ended += gone; gone < len(works) {
			return ended // another process is at it, or the ledger is busy: the sweep comes again
		}
	}
}

// farAhead is later than anything that is due.
const farAhead = 10 * 365 * 24 * time.Hour
