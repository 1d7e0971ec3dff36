package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/jobs/callback"
	"github.com/resetd/resetd/jobs/ledger"
	"github.com/resetd/resetd/jobs/queue"
	"github.com/resetd/resetd/schemas"
)

// How many workers a queue has unless the configuration says otherwise. A reset is mostly waiting for the system.
const (
	systemWorkers   = 128
	callbackWorkers = 64
)

// app is a whole resetd, tied together. What is opened first is closed last.
type app struct {
	config *config.Config
	log    zerolog.Logger
	ledger *ledger.Ledger
	clock  func() time.Time // by which leases and due times are reckoned
	queue  *queue.Queue
	set    *connectors.Set
	rights *permissions
	jobs   *jobs.Service
	face   *handlers.Face
}

// open opens and ties everything that a configuration names. Nothing is taken in or worked on before start. An error
// closes what was opened.
func open(ctx context.Context, c *config.Config, log zerolog.Logger) (_ *app, err error) {
	a := &app{config: c, log: log, rights: newPermissions(c, log)}
	defer func() {
		if err != nil {
			a.close(ctx)
		}
	}()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if a.set, err = openSystems(c, log, reg, a.rights); err != nil {
		return nil, err
	}
	if a.ledger, err = ledger.Open(ctx, ledger.Options{URL: backendURL(c.Ledger), Dir: c.DataDir, Now: time.Now, Logger: log, Registerer: reg}); err != nil {
		return nil, err
	}
	if a.clock, err = a.ledger.Clock(ctx); err != nil {
		return nil, err
	}
	if err := a.rights.load(ctx, a.ledger); err != nil {
		return nil, err
	}
	if err := a.rights.register(reg); err != nil {
		return nil, err
	}
	// The ledger knows the prefix, so that replicas share their queues and two installations on one Redis do not take each
	// other's wake-ups.
	prefix, _, err := a.ledger.Setting(ctx, "queue.prefix")
	if err != nil {
		return nil, err
	}
	if a.queue, err = queue.Open(ctx, queue.Options{URL: backendURL(c.Queue), Prefix: prefix, Logger: log, Registerer: reg}); err != nil {
		return nil, err
	}
	if pace := a.queue.Pace(ctx); pace != nil { // the embedded queue has no other replicas
		a.set.PaceBy(pace)
	}
	poster, err := callback.New(callback.Options{Sources: callbackSources(c), AllowPrivateNetworks: c.Callbacks.AllowPrivateNetworks,
		CAFile: c.Callbacks.TLSCA, PublicURL: c.PublicURL,
		Version: buildInfo().Version, Logger: zerolog.Nop(), Registerer: reg})
	if err != nil {
		return nil, err
	}
	if a.jobs, err = newJobs(a, poster, reg); err != nil {
		return nil, err
	}
	a.face, err = newFace(a, reg)
	return a, err
}

func newJobs(a *app, poster *callback.Poster, reg prometheus.Registerer) (*jobs.Service, error) {
	c := a.config
	rules, systems := map[string]jobs.SourceRule{}, map[string]jobs.SystemRule{}
	names := make([]string, len(c.Systems))
	for i, s := range c.Systems {
		names[i], systems[s.Name] = s.Name, systemRule(s)
	}
	for _, s := range c.Sources {
		rules[s.Name] = jobs.SourceRule{Systems: s.Systems, Events: s.Callback.Events, Coalesce: s.Coalesce.Value()}
	}
	rules[source.API] = jobs.SourceRule{Systems: names} // operators may act on every system
	grace := orphanGrace
	if c.Ledger.Local() {
		grace = 0 // nobody else works on this ledger
	}
	window := wakeUps * callbackWorkers
	for _, sys := range c.Systems {
		window = max(window, wakeUps*workersOf(sys))
	}
	if c.Queue.Local() {
		window = min(window, embeddedWindow/(len(names)+1))
	}
	return jobs.New(jobs.Options{
		Ledger: a.ledger, Queue: a.queue, Enforcer: a.set, Poster: poster, Plan: poster.Plan,
		NextDelay: func(n int, retryAfter time.Duration) (time.Duration, bool) {
			return callback.NextDelay(n, retryAfter, rand.Float64())
		},
		Sources: rules, Systems: names, Rules: systems, Window: max(window, 1), Instance: instance(), Now: a.clock, Logger: a.log, Metrics: reg,
		OrphanGrace: grace, Held: a.set.Held,
	})
}

// How long work of a system that is not configured here is left alone on a shared ledger: long enough for every replica to
// get the new configuration.
const orphanGrace = 10 * time.Minute

// How many wake-ups may be outstanding in a queue for each worker: enough that no worker waits for the next one, and so few
// that what has become urgent since, such as the work of a dead worker, does not stand behind thousands. In the embedded
// engine, whose lists are copied at every push, all queues together have at most embeddedWindow.
const (
	wakeUps        = 4
	embeddedWindow = 2000
)

// workersOf tells how many enforcements run at a time on a system.
func workersOf(s config.System) int {
	if s.Workers == 0 {
		return systemWorkers
	}
	return s.Workers
}

func newFace(a *app, reg *prometheus.Registry) (*handlers.Face, error) {
	c := a.config
	validator := schemas.NewValidator()
	set, errSources := openSources(c, validator, a.log)
	var list []handlers.Token
	for _, t := range c.API.Tokens {
		role, err := handlers.ParseRole(t.Role)
		if err != nil {
			return nil, err
		}
		list = append(list, handlers.Token{Name: t.Name, Role: role, Text: t.Token})
	}
	tokens, errTokens := handlers.NewTokens(list)
	if err := errors.Join(errSources, errTokens); err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	systems := &portal{config: c, set: a.set, permissions: a.rights, refusal: a.jobs.Refusal, ledger: a.ledger}
	return handlers.New(handlers.Deps{Tasks: a.jobs, History: a.jobs, Callbacks: a.jobs,
		Systems: systems, Permissions: systems, Accounts: systems, Sources: set, Tokens: tokens, Validator: validator,
		Ready: a.ledger.Ready, Metrics: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), Registerer: reg, MetricsOpen: c.API.MetricsOpen,
		TrustedProxies: c.TrustedProxies, Refusals: source.Rate(c.RefusalsPerAddress),
		PublicURL: c.PublicURL, Logger: a.log, Now: time.Now})
}

// start begins to work: the queue's workers, the sweep, and whatever was left behind.
func (a *app) start(ctx context.Context) error {
	a.rights.watch(ctx)
	for _, s := range a.config.Systems {
		if _, err := a.queue.Serve(jobs.QueueOf(s.Name), workersOf(s), a.jobs.HandleEnforcement); err != nil {
			return err
		}
	}
	if _, err := a.queue.Serve(jobs.CallbackQueue, callbackWorkers, a.jobs.HandleCallback); err != nil {
		return err
	}
	return a.jobs.Start(ctx)
}

// close ends everything in the reverse order; ctx bounds how long workers may finish what they hold.
func (a *app) close(ctx context.Context) {
	report := func(what string, err error) {
		if err != nil {
			a.log.Error().Err(err).Msg("cannot close the " + what + " in order; the next start puts right what is left")
		}
	}
	if a.queue != nil {
		report("queue", a.queue.Close(ctx))
	}
	if a.jobs != nil {
		a.jobs.Close()
	}
	a.rights.close()
	if a.set != nil {
		report("systems", a.set.Close())
	}
	if a.ledger != nil {
		report("ledger", a.ledger.Close())
	}
}

func callbackSources(c *config.Config) map[string]callback.Source {
	out := map[string]callback.Source{}
	for _, s := range c.Sources {
		if r := receiverOf(s.Callback); len(r.Keys) > 0 || r.Format.Format != "" {
			out[s.Name] = r
		}
	}
	return out
}

func backendURL(b config.Backend) string {
	if b.Local() {
		return b.Scheme
	}
	return b.URL.Reveal()
}

// instance names this process in the history: host and a random part, because a container's process id is always 1.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "-" + uuid.NewString()[:8]
}

// server makes the HTTP server of the app.
func (a *app) server() *http.Server { return handlers.NewServer(a.config.Listen, a.face) }
