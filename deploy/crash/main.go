// Command crash kills the real resetd at random moments, in the middle of its work, and checks afterwards that nothing
// was lost and nothing was done twice: the requests that it acknowledged, the passwords that a real OpenLDAP counted,
// the callbacks that a receiver verified. It exits 1 when any promise was broken.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/resetd/resetd/deploy/harness"
)

// variant is one way to run resetd and to hurt it.
type variant struct {
	name  string
	redis bool // queue on a real Redis instead of the embedded one
	flush bool // FLUSHALL on Redis in mid-flight, beside the kills
}

var variants = []variant{
	{name: "sqlite-embedded"},
	{name: "sqlite-redis", redis: true},
	{name: "sqlite-redis-flushall", redis: true, flush: true},
}

// settings are the same for every variant.
type settings struct {
	rounds, clients, users int
	least, most            time.Duration // how long a round lives
	drain                  time.Duration // how long the last start may take to finish everything
}

func main() {
	var s settings
	only := flag.String("variant", "", "run only the variants whose names contain this")
	flag.IntVar(&s.rounds, "rounds", 30, "how often resetd is killed, for each variant")
	flag.IntVar(&s.clients, "clients", 64, "how many clients send at the same time")
	flag.IntVar(&s.users, "users", 60000, "how many accounts the directory has; a task takes one")
	flag.DurationVar(&s.least, "least", 200*time.Millisecond, "shortest life of a round, counted from its first acknowledgement")
	flag.DurationVar(&s.most, "most", 900*time.Millisecond, "longest life of a round")
	flag.DurationVar(&s.drain, "drain", 10*time.Minute, "how long the last start may take to finish every task")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s, *only); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, only string) error {
	dir, err := os.MkdirTemp("", "resetd-crash-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := harness.Build(ctx, dir)
	if err != nil {
		return err
	}
	broken := 0
	for _, v := range variants {
		if !strings.Contains(v.name, only) {
			continue
		}
		report, err := trial(ctx, s, v, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		fmt.Println(report)
		broken += report.broken()
	}
	if broken > 0 {
		return fmt.Errorf("%d promises were broken", broken)
	}
	return nil
}
