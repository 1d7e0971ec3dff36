package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// paceSpan is the window in which a rate is kept, with what a call may take on its way: connectors' span and slack.
	paceSpan = 1012 * time.Millisecond

	beatEvery = time.Second
	// A replica that has not shown itself for memberAbsent is not counted on to use Redis; its share is left to it until
	// memberGone. It goes by that share itself somewhat later, when all others must have noticed.
	memberAbsent = 3 * time.Second
	memberGone   = 30 * time.Second
	aloneAfter   = memberAbsent + 500*time.Millisecond
)

// Pace is the replicas' common book about the pace of the systems: the rates of which each replica takes its turns, and the
// pauses that a system has asked for. It is kept in Redis and reckoned by its clock. Its methods have the form of
// connectors.Pacer, where they are described.
type Pace struct {
	q   *Queue
	tag string // begins all keys: one slot in a cluster

	mu      sync.Mutex
	clock   clock
	last    time.Time // when Redis answered last
	members []string  // ids, ours among them
	outages int       // how often Redis was away for so long that we may have gone by our own share
	joined  map[string]int
}

// Pace begins to take part in the common book, until the queue closes. It is nil for the embedded queue, which has no
// other replicas. Call it once.
func (q *Queue) Pace(ctx context.Context) *Pace {
	if q.engine != nil {
		return nil
	}
	p := newPace(q)
	if err := p.beat(ctx); err != nil {
		q.log.Warn().Err(q.hide.error(err)).Msg("cannot tell the other replicas that this one is here; trying again in a second")
	}
	q.background.Go(func() { p.run(q.life) })
	return p
}

func newPace(q *Queue) *Pace {
	return &Pace{q: q, tag: "{" + q.prefix + ":pace}:", joined: map[string]int{}, clock: clock{began: time.Now()}}
}

func (p *Pace) run(life context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ctx, cancel := context.WithTimeout(life, beatEvery)
			_ = p.beat(ctx) // the next one follows, and whoever wants turns hears of it
			cancel()
		case <-life.Done():
			if p.q.health.down.Load() {
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(life), beatEvery/2)
			defer cancel()
			_ = p.q.client.ZRem(ctx, p.tag+"members", p.q.id).Err() // else it is forgotten after memberGone
			return
		}
	}
}

// beat shows that we are here.
func (p *Pace) beat(ctx context.Context) error {
	p.mu.Lock()
	away := p.away(time.Now())
	args := []any{p.q.id, memberAbsent.Microseconds(), memberGone.Microseconds()}
	if away {
		for _, id := range p.members {
			if id != p.q.id {
				args = append(args, id)
			}
		}
	}
	p.mu.Unlock()
	sent := time.Now()
	got, err := beatScript.Run(ctx, p.q.client, []string{p.tag + "members"}, args...).StringSlice()
	if err != nil {
		return err
	}
	now, err := strconv.ParseInt(got[0], 10, 64)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = got[1:]
	p.answered(now, sent, time.Now())
	return nil
}

// away tells whether Redis was silent for so long that we may have gone by our own share. The caller holds mu.
func (p *Pace) away(now time.Time) bool { return !p.last.IsZero() && now.Sub(p.last) > aloneAfter }

// answered notes an answer of Redis and what its clock showed. The caller holds mu.
func (p *Pace) answered(redisNow int64, sent, received time.Time) {
	if p.away(received) {
		p.outages++
	}
	p.last = received
	p.clock.read(time.Duration(redisNow)*time.Microsecond, sent, received)
}

// Turns reserves up to n turns.
func (p *Pace) Turns(ctx context.Context, system string, every time.Duration, n int) (turns [][2]time.Time, share float64, held time.Time, err error) {
	p.mu.Lock()
	away := p.away(time.Now())
	p.mu.Unlock()
	if away && n > 0 { // first bring back the others that Redis may have forgotten
		if err := p.beat(ctx); err != nil {
			return nil, 0, time.Time{}, fmt.Errorf("reserving turns at %s: %w", p.q.at, p.q.cause(ctx, err))
		}
	}
	p.mu.Lock()
	outages := p.outages
	calm := 0
	if p.joined[system] != outages {
		calm = 1
	}
	p.mu.Unlock()
	sent := time.Now()
	got, err := turnsScript.Run(ctx, p.q.client, []string{p.tag + "system:" + system, p.tag + "members"}, p.q.id, every.Nanoseconds(), n, calm,
		memberAbsent.Microseconds(), memberGone.Microseconds(), paceSpan.Microseconds()).Int64Slice()
	if err != nil {
		return nil, 0, time.Time{}, fmt.Errorf("reserving turns at %s: %w", p.q.at, p.q.cause(ctx, err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered(got[0], sent, time.Now())
	local := func(micros int64) time.Time { return p.clock.local(time.Duration(micros) * time.Microsecond) }
	if n > 0 {
		p.joined[system] = outages
	}
	if got[4] > got[0] {
		held = local(got[4])
	}
	now, first, early, apart := local(got[0]), local(got[1]), local(got[2]), time.Duration(got[3])
	for i := range n {
		place := first.Add(time.Duration(i) * apart)
		from := place
		if !place.Add(apart).After(early) {
			from = now
		}
		turns = append(turns, [2]time.Time{from, place})
	}
	return slices.Clip(turns), float64(got[5]) / 1000, held, nil
}

// Hold tells all replicas of a pause or a slower pace.
func (p *Pace) Hold(ctx context.Context, system string, pause time.Duration, slower bool) error {
	less := 0
	if slower {
		less = 1
	}
	if err := holdScript.Run(ctx, p.q.client, []string{p.tag + "system:" + system}, pause.Microseconds(), less).Err(); err != nil {
		return fmt.Errorf("pausing %s at %s: %w", system, p.q.at, p.q.cause(ctx, err))
	}
	return nil
}

// Alone tells from when on a replica may go by its own share, and how many share. All replicas that were seen lately count,
// also one that has died since: its share is left unused rather than taken twice.
func (p *Pace) Alone() (from time.Time, shares int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.Add(aloneAfter), max(1, len(p.members))
}
