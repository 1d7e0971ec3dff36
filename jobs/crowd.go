package jobs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/resetd/resetd/schemas"
)

// How many enforcements that others wait for are looked at in one sweep and how many at the same time, how many of those that
// wait for one are read at a time, and how many are given their end at the same time (they share the ledger's commits).
const (
	sweepLeaders = 1024
	crowdReaders = 16
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
const rememberedCrowds = 65536

// crowd ends those that wait for another task when that one ends: at once if it ends in this process, and otherwise with
// the next sweep. Waiting costs nothing: no worker, no write, and of the queue nothing at all.
type crowd struct {
	svc *Service

	mu       sync.Mutex
	expected map[string]bool // enforcements that others wait for, as far as this process has made them wait
	ready    map[string]bool // those of them that may have ended
	signal   chan struct{}
	ended    atomic.Int64 // how many have stopped waiting since the last sweep began
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

// run looks at those that may have ended, several at a time, so that one with a large crowd does not keep the others waiting.
func (c *crowd) run(ctx context.Context) {
	var all sync.WaitGroup
	look := make(chan string)
	for range crowdReaders {
		all.Go(func() {
			for enforcement := range look {
				c.settle(ctx, enforcement)
			}
		})
	}
	defer all.Wait()
	defer close(look)
	after := ""
	next := time.NewTimer(0)
	defer next.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.signal:
			for enforcement := range c.take() {
				look <- enforcement
			}
		case <-next.C:
			began := time.Now()
			c.ended.Store(0)
			after = c.sweep(ctx, after, look)
			next.Reset(c.pause(time.Since(began), c.ended.Load()))
		}
	}
}

// pause gives how long after a sweep the next one begins.
func (c *crowd) pause(took time.Duration, ended int64) time.Duration {
	usual := c.svc.Timing.Sweep
	if ended > 0 {
		return usual
	}
	return min(max(usual, sweepShare*took), sweepRest*usual)
}

// sweep has some of those looked at that others wait for, from where the last one stopped, and gives where the next one begins.
func (c *crowd) sweep(ctx context.Context, after string, look chan<- string) string {
	ids, err := c.svc.Ledger.Followed(ctx, after, sweepLeaders)
	if err != nil {
		if ctx.Err() == nil {
			c.svc.Logger.Warn().Err(err).Msg("cannot read from the ledger which tasks wait for others; trying again in a second")
		}
		return after
	}
	for _, id := range ids {
		c.expect(id) // another process, or an earlier one, has made them wait
		look <- id
	}
	if len(ids) < sweepLeaders {
		return ""
	}
	return ids[len(ids)-1]
}

// settle deals with all that wait for an enforcement, if it has ended or is gone.
func (c *crowd) settle(ctx context.Context, enforcement string) {
	s := c.svc
	leader, n, err := s.leaderOf(ctx, enforcement)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			s.Logger.Warn().Err(err).Str("task", schemas.TaskOf(enforcement)).Msg("cannot read a task that others wait for; trying again in a second")
		}
		return
	case n != nil && !n.Status.Final():
		return
	}
	c.forget(enforcement)
	for {
		works, err := s.Ledger.Due(ctx, FollowQueue(enforcement), s.Now().Add(farAhead), crowdChunk)
		if err != nil || len(works) == 0 {
			return // an error of the ledger is told by the sweep, which comes again
		}
		gone := c.dismiss(ctx, leader, n, works)
		c.ended.Add(int64(gone))
		if gone < len(works) {
			return // another process is at it, or the ledger is busy: the sweep comes again
		}
	}
}

// farAhead is later than anything that is due.
const farAhead = 10 * 365 * 24 * time.Hour
