package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// stormPeople is how many accounts all messages of a storm are about.
const stormPeople = 10

// aimStorm is how soon all tasks of a storm have ended after its last message was answered, in seconds.
const aimStorm = 5

// storm sends as many webhooks as the drain has tasks, all about the same few accounts, and measures until every task has
// ended. Each account must have been reset once.
func (b *bench) storm(ctx context.Context) error {
	for _, v := range b.chosen(embedded, redisAlways) {
		if err := b.calm(ctx); err != nil {
			return err
		}
		if err := b.stormRun(ctx, v); err != nil {
			b.report.failed("storm "+v.name, err)
		}
	}
	return nil
}

func (b *bench) stormRun(ctx context.Context, v variant) error {
	s, err := b.setWith(ctx, v, imitationYAML, "")
	if err != nil {
		return err
	}
	defer s.end()
	from := s.reading(ctx)
	got, err := s.load(ctx, loadPlan{conns: b.conns, measured: fillLimit, most: b.tasks, people: stormPeople})
	if err != nil {
		return err
	}
	answered := time.Now()
	all := float64(got.Accepted)
	to, err := s.finish(ctx, all, drainLimit)
	if err := errors.Join(from.err, err); err != nil {
		return s.explain(err)
	}
	if err := s.sound(ctx, all); err != nil {
		return s.explain(err)
	}
	end, err := s.scrape(ctx)
	if err != nil {
		return err
	}
	if end.resets != stormPeople {
		return fmt.Errorf("%.0f webhooks about %d accounts made %.0f resets", all, stormPeople, end.resets)
	}
	if err := s.process.Stop(); err != nil {
		return s.explain(err)
	}
	took := answered.Sub(from.at)
	fmt.Fprintf(os.Stderr, "storm: %s: %.0f webhooks in %s, all ended %s later\n", v.name, all, took.Round(time.Millisecond), to.at.Sub(answered).Round(time.Millisecond))
	what := "storm " + v.name + ": "
	b.report.tell(what+"webhooks", "", all)
	b.report.tell(what+"resets", "", end.resets)
	b.report.tell(what+"durable 202", "req/s", all/took.Seconds())
	b.report.atMost(what+"all ended, after the last answer", "s", max(0, to.at.Sub(answered).Seconds()), aimStorm)
	b.report.tell(what+"processors used by resetd", "", to.cores(from))
	b.report.writer(what, from, to)
	b.report.tell(what+"processors used by other programs", "", to.others(from))
	return nil
}
