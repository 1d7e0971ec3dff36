package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// The aims for taking webhooks in, and for what the workers still do meanwhile.
const (
	aimRatio        = 0.35 // of the floor
	aimBusyEmbedded = 200  // tasks finished in a second
	aimBusyRedis    = 600
)

// warmUp is how much of each load run is not measured.
const warmUp = time.Second

// intake is one measured run of one server.
type intake struct {
	rate, p50, p99, ratio, finished, cores, others, unavailable float64
	from, to                                                    reading
}

// ingest measures the floor and every variant in turn, several times, because other work on the machine comes and goes:
// a ratio compares neighbours in time only.
func (b *bench) ingest(ctx context.Context) error {
	variants := b.chosen(embedded, redisAlways, redisEverySec)
	var floors []intake
	got := map[string][]intake{}
	for round := range b.rounds {
		base, err := b.floorRun(ctx)
		if err != nil {
			return fmt.Errorf("the floor: %w", err)
		}
		floors = append(floors, base)
		for _, v := range slices.Clone(variants) {
			one, err := b.ingestRun(ctx, v)
			if err != nil {
				b.report.failed("ingest "+v.name, err)
				variants = slices.DeleteFunc(variants, func(other variant) bool { return other == v })
				continue
			}
			one.ratio = one.rate / base.rate
			got[v.name] = append(got[v.name], one)
			fmt.Fprintf(os.Stderr, "ingest: round %d: floor %.0f/s, %s %.0f/s (%.2f), %.0f tasks/s finished; %.2f processors used by others\n",
				round+1, base.rate, v.name, one.rate, one.ratio, one.finished, one.others)
		}
	}
	r := &b.report
	rate, rates := middle(floors, func(i intake) float64 { return i.rate })
	r.tell("floor: bare net/http + HMAC", "req/s", rate).of(rates)
	p50, _ := middle(floors, func(i intake) float64 { return i.p50 })
	p99, _ := middle(floors, func(i intake) float64 { return i.p99 })
	r.tell("floor: p50", "ms", p50)
	r.tell("floor: p99", "ms", p99)
	for _, v := range variants {
		r.intake(v, got[v.name])
	}
	return nil
}

// intake adds the lines of one variant.
func (r *report) intake(v variant, runs []intake) {
	of := func(f func(intake) float64) (float64, []float64) { return middle(runs, f) }
	what := "ingest " + v.name + ": "
	rate, rates := of(func(i intake) float64 { return i.rate })
	r.tell(what+"durable 202", "req/s", rate).of(rates)
	ratio, ratios := of(func(i intake) float64 { return i.ratio })
	r.atLeast(what+"ratio to the floor", "", ratio, aimRatio).of(ratios)
	p50, _ := of(func(i intake) float64 { return i.p50 })
	r.tell(what+"p50", "ms", p50)
	p99, _ := of(func(i intake) float64 { return i.p99 })
	r.tell(what+"p99", "ms", p99)
	aim := float64(aimBusyEmbedded)
	if v.fsync != "" {
		aim = aimBusyRedis
	}
	finished, all := of(func(i intake) float64 { return i.finished })
	r.atLeast(what+"finished meanwhile", "tasks/s", finished, aim).of(all)
	cores, _ := of(func(i intake) float64 { return i.cores })
	r.tell(what+"processors used by resetd", "", cores)
	last := runs[len(runs)-1]
	r.writer(what, last.from, last.to)
	others, used := of(func(i intake) float64 { return i.others })
	r.tell(what+"processors used by other programs", "", others).of(used)
	unavailable, _ := of(func(i intake) float64 { return i.unavailable })
	r.tell(what+"answered 503", "", unavailable)
}

func (b *bench) plan() loadPlan {
	return loadPlan{conns: b.conns, warm: warmUp, measured: time.Duration(b.seconds) * time.Second}
}

func (b *bench) floorRun(ctx context.Context) (intake, error) {
	if err := b.calm(ctx); err != nil {
		return intake{}, err
	}
	f, err := startFloor(ctx)
	if err != nil {
		return intake{}, err
	}
	t, err := newTemplate(f.addr, "floor", f.key)
	if err != nil {
		return intake{}, errors.Join(err, f.stop())
	}
	got, err := t.send(ctx, f.addr, b.plan())
	if err := errors.Join(err, f.stop()); err != nil {
		return intake{}, err
	}
	return intake{rate: got.rate(), p50: got.Times.ms(0.5), p99: got.Times.ms(0.99)}, nil
}

func (b *bench) ingestRun(ctx context.Context, v variant) (intake, error) {
	if err := b.calm(ctx); err != nil {
		return intake{}, err
	}
	s, err := b.set(ctx, v)
	if err != nil {
		return intake{}, err
	}
	defer s.end()
	var from, to reading
	p := b.plan()
	p.open, p.shut = func() { from = s.reading(ctx) }, func() { to = s.reading(ctx) }
	profiled := b.profiled(ctx, s, "ingest-"+v.name, p.warm, p.measured)
	got, err := s.load(ctx, p)
	if err := errors.Join(err, from.err, to.err, profiled()); err != nil {
		return intake{}, err
	}
	end, err := s.scrape(ctx)
	if err != nil {
		return intake{}, err
	}
	if int(end.accepted) != got.Accepted || end.finished != end.good {
		return intake{}, fmt.Errorf("%d webhooks were answered with 202, but resetd counts %.0f tasks; %.0f of %.0f enforcements succeeded",
			got.Accepted, end.accepted, end.good, end.finished)
	}
	return intake{rate: got.rate(), p50: got.Times.ms(0.5), p99: got.Times.ms(0.99), unavailable: float64(got.Unavailable),
		finished: (to.finished - from.finished) / to.at.Sub(from.at).Seconds(), cores: to.cores(from), others: to.others(from), from: from, to: to}, nil
}

// middle gives the median of one figure over the rounds, and the figure of each round.
func middle(runs []intake, figure func(intake) float64) (float64, []float64) {
	all := make([]float64, len(runs))
	for i, r := range runs {
		all[i] = figure(r)
	}
	return median(all), all
}
