// Command bench measures the real resetd binary from outside, in one run: how many signed webhooks it takes beside the
// bare floor of net/http, how fast it works, how soon it reaches a system when it has nothing else to do, what that costs
// while nothing happens, how fast a large history is searched, and how it starts. The README beside this file says what
// each line means and what it does not show. A missed aim is a line that says so; the exit status is 1 only when something
// could not be measured, or when resetd broke a promise.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/resetd/resetd/deploy/harness"
)

// settings are what the flags say.
type settings struct {
	only     []string // names of parts; none means all
	seconds  int
	rounds   int
	conns    int
	tasks    int
	samples  int
	rows     int
	accounts int // of the mass reset
	postgres bool
	json     string
	profile  string
	wait     time.Duration
	env      []string
	queues   []string // names of variants; none means all
}

// bench is one run of this program.
type bench struct {
	settings
	report  report
	dir     string // temporary; gone at the end
	binary  string // with the imitation (build tag bench)
	shipped string // as it is shipped
}

// part is one thing that can be measured.
type part struct {
	name string
	do   func(*bench, context.Context) error
}

// parts is the table of contents, in the order in which it is done.
var parts = []part{
	{"start", (*bench).start},
	{"ingest", (*bench).ingest}, // with the floor
	{"drain", (*bench).drain},
	{"storm", (*bench).storm},
	{"idle", (*bench).idle},
	{"search", (*bench).search},
	{"mass", (*bench).mass},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == floorArg {
		if err := serveFloor(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench: the floor server:", err)
			os.Exit(1)
		}
		return
	}
	b := &bench{}
	b.flags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func (b *bench) flags() {
	var list, queues string
	split := func(text string) []string { return strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) }
	flag.StringVar(&list, "parts", "", "only these parts, separated by commas: start, ingest, drain, storm, idle, search, mass")
	flag.IntVar(&b.seconds, "seconds", 8, "length of one measured load run")
	flag.IntVar(&b.rounds, "rounds", 3, "how often floor and ingest are measured, in turn")
	flag.IntVar(&b.conns, "conns", 64, "keep-alive connections")
	flag.IntVar(&b.tasks, "tasks", 20000, "backlog to drain")
	flag.IntVar(&b.samples, "samples", 120, "single webhooks for the idle latency, and queries for each kind of search")
	flag.IntVar(&b.rows, "rows", 1_000_000, "tasks in the history that is searched")
	flag.IntVar(&b.accounts, "mass-accounts", 100_000, "accounts of the mass reset; each takes a hundredth of a second")
	flag.BoolVar(&b.postgres, "postgres", false, "search in PostgreSQL too")
	flag.StringVar(&b.json, "json", "", "also write everything to this file")
	flag.StringVar(&b.profile, "profile", "", "write CPU profiles of resetd during ingest and drain into this folder, and show where the time goes")
	flag.StringVar(&queues, "queues", "", "only these queues, separated by commas: embedded, redis, redis-everysec")
	flag.DurationVar(&b.wait, "calm", 0, "wait so long, at most, before each measured run until the machine has no other work")
	flag.Func("env", "NAME=VALUE for the environment of resetd, to try settings of the Go runtime; may be repeated", func(text string) error {
		b.env = append(b.env, text)
		return nil
	})
	flag.Parse()
	b.queues = split(queues)
	for _, name := range split(list) {
		if name == "floor" {
			name = "ingest"
		}
		b.only = append(b.only, name)
	}
}

func (b *bench) run(ctx context.Context) (err error) {
	for _, name := range b.only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q; use start, ingest, drain, storm, idle, search, mass", name)
		}
	}
	if b.dir, err = os.MkdirTemp("", "resetd-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	if err := b.build(ctx); err != nil {
		return err
	}
	b.report.Conditions = conditions(b.dir)
	for _, p := range parts {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		began := time.Now()
		if err := p.do(b, ctx); err != nil {
			b.report.failed(p.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: done in %s\n", p.name, time.Since(began).Round(time.Second))
		if ctx.Err() != nil {
			break
		}
	}
	if err := b.report.print(os.Stdout); err != nil {
		return err
	}
	if b.json != "" {
		if err := b.report.save(b.json); err != nil {
			return err
		}
	}
	if n := len(b.report.Failures); n > 0 {
		return fmt.Errorf("%d parts could not be measured, or broke a promise; they are named above", n)
	}
	return ctx.Err()
}

// build makes both binaries. The imitation is in no binary that is shipped.
func (b *bench) build(ctx context.Context) error {
	for _, one := range []struct {
		into *string
		dir  string
		tags []string
	}{{&b.binary, "bench", []string{"bench"}}, {&b.shipped, "shipped", nil}} {
		dir := b.dir + "/" + one.dir
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		var err error
		if *one.into, err = harness.Build(ctx, dir, one.tags...); err != nil {
			return err
		}
	}
	return nil
}
