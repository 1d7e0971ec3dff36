package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// SourceRule is what a source may ask for.
type SourceRule struct {
	Systems []string // those that it may act on; a request that names none goes to all of them
	// Events are the callback events when a request names none.
	Events []string
	// Coalesce is for how long after a reset its requests for the same share it; zero is what the system says, or 15 minutes,
	// and less is never.
	Coalesce time.Duration
}

// Options is what a Service needs. Every field without a default must be set.
type Options struct {
	Ledger   Ledger
	Queue    Queue
	Enforcer Enforcer
	Poster   Poster
	// NextDelay gives the wait before a callback's next attempt, after its n-th failed, or false when it is given up.
	NextDelay func(n int, retryAfter time.Duration) (time.Duration, bool)
	// Plan settles at submission where a source's callback goes; nil callback means none. Its error is told to the sender.
	Plan    func(source string, c *schemas.CallbackRequest, events []string) (*schemas.CallbackPlan, error)
	Sources map[string]SourceRule
	Systems []string
	// Rules are what operators say about systems; a system without one has the zero rule.
	Rules map[string]SystemRule
	// Held tells until when no work of a system need be begun, because it asked for a pause; a time in the past is no hold.
	// With silent it does not answer, and nobody knows until when. Nil holds nothing.
	Held func(system string) (until time.Time, silent bool)
	// Window is how many wake-ups of one queue may be outstanding; the rest of the backlog stays in the ledger.
	Window   int
	Instance string // names this process in the history
	Now      func() time.Time
	Logger   zerolog.Logger
	Metrics  prometheus.Registerer
	Timing   Timing
	// OrphanGrace is how long work of a system that is not configured here is left to other replicas; zero where there are none.
	OrphanGrace time.Duration
}

// Timing holds the durations by which the jobs live; the zero value of each field is its default.
type Timing struct {
	Lease    time.Duration // how long a claim stands without renewal: 5 s
	Settle   time.Duration // how long a lost call may still be under way in the system: 3 s
	Sweep    time.Duration // how often the ledger is swept for work without a live job: 1 s
	RetryFor time.Duration // how long an enforcement is tried again by itself: 1 h
	WaitFor  time.Duration // how long one is put off because its system asks for it: 24 h
	// HeldFor is how long work stays untouched while its system does not answer: 5 min. After that it is begun anyway, so that
	// a task whose time is over ends: a worker finds out at once that there is nothing to be done yet. A pause ends by itself.
	HeldFor time.Duration
}

func (t Timing) withDefaults() Timing {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&t.Lease, 5*time.Second)
	def(&t.Settle, 3*time.Second)
	def(&t.Sweep, time.Second)
	def(&t.RetryFor, time.Hour)
	def(&t.WaitFor, 24*time.Hour)
	def(&t.HeldFor, 5*time.Minute)
	return t
}

// Service carries tasks from acceptance to callback. Its Handle methods are what the queue's workers call.
type Service struct {
	Options
	feeders map[string]*feeder
	leases  *leases
	leads   *leads
	crowd   *crowd
	hub     *hub
	count   *metrics
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New makes a service. It does nothing before Start; what it accepts until then waits in the ledger.
func New(o Options) (*Service, error) {
	switch {
	case o.Ledger == nil, o.Queue == nil, o.Enforcer == nil, o.Poster == nil, o.Plan == nil, o.NextDelay == nil, o.Now == nil:
		return nil, errors.New("jobs: Ledger, Queue, Enforcer, Poster, Plan, NextDelay and Now must be set")
	case o.Window < 1, o.Instance == "":
		return nil, errors.New("jobs: Window and Instance must be set")
	}
	o.Timing = o.Timing.withDefaults()
	s := &Service{Options: o, feeders: map[string]*feeder{}, hub: newHub(), count: newMetrics(o.Metrics)}
	s.leads, s.crowd = newLeads(), newCrowd(s)
	s.leases = newLeases(o.Ledger, o.Timing.Lease, o.Now, o.Logger)
	for _, q := range s.queues() {
		s.feeders[q] = newFeeder(q, s)
	}
	return s, nil
}

// Start begins to dispatch and to sweep: work that an earlier process left behind first. It returns at once; Close ends
// what it began.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.failOrphans(ctx); err != nil {
		return err
	}
	for _, f := range s.feeders {
		s.running.Go(func() { f.run(ctx) })
	}
	s.running.Go(func() { s.leases.run(ctx) })
	s.running.Go(func() { s.crowd.run(ctx) })
	s.running.Go(func() { s.watchOrphans(ctx) })
	return nil
}

// Close stops dispatching. The queue's workers must have been stopped before.
func (s *Service) Close() {
	if s.stop != nil {
		s.stop()
	}
	s.running.Wait()
}

func (s *Service) queues() []string {
	out := []string{CallbackQueue}
	for _, name := range s.Systems {
		out = append(out, QueueOf(name))
	}
	return out
}

func (s *Service) actor() string { return "worker:" + s.Instance }
