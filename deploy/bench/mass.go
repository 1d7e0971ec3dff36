package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/deploy/bench/imitation"
)

const (
	massRate = 500 // calls a second that the system allows

	aimMassTime = 1.02 // of the ideal: all calls at the whole rate
	aimMassRSS  = 300  // MB
)

// massCalls is how many calls of the system one reset with revocation takes: resolve, classify, reset, revoke, verify. The
// probe of the preflight comes once a minute.
const massCalls = 5

// mass resets many accounts on a system with a rate limit, and has the system itself count.
func (b *bench) mass(ctx context.Context) error {
	for _, v := range b.chosen(embedded, redisAlways) {
		if err := b.calm(ctx); err != nil {
			return err
		}
		if err := b.massRun(ctx, v); err != nil {
			b.report.failed("mass "+v.name, err)
		}
	}
	return nil
}

func (b *bench) massRun(ctx context.Context, v variant) error {
	file := filepath.Join(b.dir, "mass-"+strings.ReplaceAll(v.name, " ", "-")+".json")
	s, err := b.setWith(ctx, v, fmt.Sprintf("  - {name: imitation, kind: imitation, enforcement: granted, rate: %d/s, config: {reset_ms: 20, limit: %d, report: %q}}\n",
		massRate, massRate, file), "off")
	if err != nil {
		return err
	}
	defer s.end()
	began := time.Now()
	from := s.reading(ctx)
	filled, err := s.load(ctx, loadPlan{conns: b.conns, measured: fillLimit, most: b.accounts})
	if err != nil {
		return err
	}
	ideal := time.Duration(b.accounts) * massCalls * time.Second / massRate
	to, err := s.finish(ctx, float64(filled.Accepted), 2*ideal+drainLimit)
	took := time.Since(began)
	if err := errors.Join(err, from.err); err != nil {
		return s.explain(err)
	}
	errSound := s.sound(ctx, float64(filled.Accepted))
	rss, errRSS := peakRSS(s.process.PID())
	if err := errors.Join(errSound, errRSS, s.process.Stop()); err != nil {
		return s.explain(err)
	}
	saw, err := massReport(file)
	if err != nil {
		return err
	}
	b.massTell(v, filled.Accepted, took, rss, saw, from, to)
	if lost := filled.Accepted - saw.Accounts; lost != 0 || saw.Doubled != 0 || saw.Violations != 0 {
		return fmt.Errorf("%d accounts were lost, %d were reset twice, and %d calls came although the limit was used up", lost, saw.Doubled, saw.Violations)
	}
	return nil
}

func (b *bench) massTell(v variant, accounts int, took time.Duration, rss int64, saw imitation.Report, from, to reading) {
	what, r := "mass "+v.name+": ", &b.report
	ideal := time.Duration(saw.Calls) * time.Second / massRate
	r.tell(what+"accounts, at "+strconv.Itoa(massRate)+" calls/s", "", float64(accounts))
	r.tell(what+"calls of the system for one account", "", float64(saw.Calls)/float64(accounts))
	r.tell(what+"ideal: all calls at the whole rate", "s", ideal.Seconds())
	r.tell(what+"from the first webhook to the last end", "s", took.Seconds())
	r.atMost(what+"time against the ideal", "", took.Seconds()/ideal.Seconds(), aimMassTime)
	r.atMost(what+"calls in the worst second, as the system counted", "", float64(saw.Worst), massRate)
	r.atMost(what+"violations of the limit", "", float64(saw.Violations), 0)
	r.atMost(what+"accounts lost", "", float64(accounts-saw.Accounts), 0)
	r.atMost(what+"accounts reset twice", "", float64(saw.Doubled), 0)
	r.atMost(what+"resident memory, largest", "MB", float64(rss)/1e6, aimMassRSS)
	r.tell(what+"turns that nobody used in time", "", to.missed)
	r.tell(what+"processors used by resetd", "", to.cores(from))
	r.tell(what+"processors used by other programs", "", to.others(from))
	fmt.Fprintf(os.Stderr, "mass: %s: %d accounts in %s\n", v.name, accounts, took.Round(time.Millisecond))
}

func massReport(file string) (saw imitation.Report, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return saw, fmt.Errorf("the system left no report: %w", err)
	}
	return saw, json.Unmarshal(text, &saw)
}

// peakRSS gives the largest resident memory that a process had, in bytes (VmHWM in proc(5)).
func peakRSS(pid int) (int64, error) {
	text := strings.TrimSuffix(firstAfter(fmt.Sprintf("/proc/%d/status", pid), "VmHWM"), " kB")
	kilo, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return kilo << 10, err
}
