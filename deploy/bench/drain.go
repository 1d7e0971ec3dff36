package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// The aims for working off a backlog while nothing comes in, in tasks a second.
const (
	aimDrainEmbedded = 600
	aimDrainRedis    = 2000
)

const (
	drainLook  = 100 * time.Millisecond // how often the counters are read
	drainLimit = 3 * time.Minute        // without an end by then, tasks are lost
	fillLimit  = 5 * time.Minute
)

// drain fills the ledger, stops the intake, and measures until everything is finished.
func (b *bench) drain(ctx context.Context) error {
	for _, v := range b.chosen(embedded, redisAlways, redisEverySec) {
		aim := float64(aimDrainEmbedded)
		if v.fsync != "" {
			aim = aimDrainRedis
		}
		if err := b.calm(ctx); err != nil {
			return err
		}
		got, err := b.drainRun(ctx, v)
		if err != nil {
			b.report.failed("drain "+v.name, err)
			continue
		}
		what := "drain " + v.name + ": "
		b.report.atLeast(what+"finished", "tasks/s", got.rate, aim)
		b.report.tell(what+"backlog at the beginning", "tasks", got.backlog)
		b.report.tell(what+"processors used by resetd", "", got.cores)
		b.report.writer(what, got.from, got.to)
		b.report.tell(what+"processors used by other programs", "", got.others)
		b.report.tell(what+"resident memory at the end", "MB", got.rss/1e6)
	}
	return nil
}

type drained struct {
	rate, backlog, cores, others, rss float64
	from, to                          reading
}

func (b *bench) drainRun(ctx context.Context, v variant) (drained, error) {
	s, err := b.set(ctx, v)
	if err != nil {
		return drained{}, err
	}
	defer s.end()
	filled, err := s.load(ctx, loadPlan{conns: b.conns, measured: fillLimit, most: b.tasks})
	if err != nil {
		return drained{}, err
	}
	from := s.reading(ctx)
	if from.err != nil {
		return drained{}, from.err
	}
	all := float64(filled.Accepted)
	if from.accepted != all {
		return drained{}, fmt.Errorf("%.0f webhooks were answered with 202, but resetd counts %.0f tasks", all, from.accepted)
	}
	left := all - from.finished
	profiled := b.profiled(ctx, s, "drain-"+v.name, 0, max(2*time.Second, time.Duration(left/4000*float64(time.Second))))
	to, err := s.finish(ctx, all, drainLimit)
	if err := errors.Join(err, profiled()); err != nil {
		return drained{}, s.explain(err)
	}
	if err := s.sound(ctx, all); err != nil {
		return drained{}, s.explain(err)
	}
	rss, err := s.process.RSS()
	if err != nil {
		return drained{}, err
	}
	if err := s.process.Stop(); err != nil {
		return drained{}, s.explain(err)
	}
	took := to.at.Sub(from.at)
	fmt.Fprintf(os.Stderr, "drain: %s: %.0f tasks in %s\n", v.name, left, took.Round(time.Millisecond))
	return drained{rate: left / took.Seconds(), backlog: left, cores: to.cores(from), others: to.others(from), rss: float64(rss), from: from, to: to}, nil
}

// finish waits until so many enforcements have ended, whatever came of them.
func (s *stage) finish(ctx context.Context, all float64, limit time.Duration) (reading, error) {
	deadline := time.Now().Add(limit)
	for {
		now := s.reading(ctx)
		if now.err != nil || now.finished >= all {
			return now, now.err
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("after %s only %.0f of %.0f tasks are finished", limit, now.finished, all)
		}
		time.Sleep(drainLook)
	}
}

// sound checks that every task ended once, and well, by the counters and by the history.
func (s *stage) sound(ctx context.Context, all float64) error {
	end, err := s.scrape(ctx)
	if err != nil {
		return err
	}
	if end.finished != all || end.good != all {
		return fmt.Errorf("of %.0f tasks %.0f enforcements ended, %.0f of them well", all, end.finished, end.good)
	}
	open, err := s.client.Open(ctx)
	if err == nil && open > 0 {
		err = fmt.Errorf("%d tasks are open although as many ended as were accepted", open)
	}
	return err
}
