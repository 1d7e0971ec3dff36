package connectors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"github.com/resetd/resetd/schemas"
)

// DefaultTimeout bounds one call of a connector unless the system says otherwise.
const DefaultTimeout = 10 * time.Second

// System is one configured IAM system.
type System struct {
	Name string // as sources and requests name it
	Kind string
	// Permitted tells whether the operator lets resetd change accounts here, now: the policy enforcement permission. It is
	// asked before each change, from many goroutines, and must not block. Nil permits nothing.
	Permitted func() bool
	// Permission says where the permission comes from, for the texts about a missing one; nil if nobody knows.
	Permission func() schemas.PermissionState
	// Rate bounds the calls of all replicas together, or of this process without a Pacer; the zero value is no bound.
	Rate Rate
	// Timeout bounds one call, waiting for the rate not included; zero is DefaultTimeout.
	Timeout time.Duration
	// Secrets must not leave the connector in any text.
	Secrets   []schemas.Secret
	Connector Connector
	// Hints are what the connector says about the system's pace; nil for nothing.
	Hints *Hints
}

// Options are what all systems have in common. The zero value is usable.
type Options struct {
	// Log is used where the context carries no logger.
	Log zerolog.Logger
	// Metrics takes the metrics; nil keeps them to ourselves.
	Metrics prometheus.Registerer
	// ProbeTTL is how long a good answer to a probe is believed by Preflight; zero is a minute.
	ProbeTTL time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Info is what may be known about a system without asking it.
type Info struct {
	Name    string
	Kind    string
	Granted bool // whether the system was permitted when Info was made
	Rate    Rate
	Timeout time.Duration
	Condition
}

// Set is all IAM systems, each under its name. Its methods may be called at the same time. Every error is a
// *schemas.Failure whose text, like that of every result, holds none of the systems' secrets; its cause can be compared
// but not read. Every text is one line of characters that can be seen, of 2 KiB at most; the name of an identity of 1 KiB.
// An id or a mark of evidence over 512 bytes is unexpected.
//
// A call waits until the system's rate and the pauses that it asked for allow it, fails at once while the system is known
// not to answer, gets at most the system's time-out, survives a panic of the connector, and leaves one log line and two
// metrics behind. Lines go to the logger in the context (zerolog.Ctx), which knows the task and the source.
type Set struct {
	systems map[string]*system
	order   []string
}

// system is a configured system and what is kept about it.
type system struct {
	System
	options *Options
	metrics *metrics
	redact  redactor
	pace    *pace
	breaker *breaker
	login   login

	probes singleflight.Group
	known  probeCache
}

// NewSet takes the systems in the order in which they are to be listed. It refuses systems without a name or a connector,
// names that occur twice, and metrics that cannot be registered; the connectors remain the caller's then.
func NewSet(systems []System, o Options) (*Set, error) {
	if o.ProbeTTL == 0 {
		o.ProbeTTL = time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Set{systems: map[string]*system{}}
	for _, one := range systems {
		switch {
		case one.Name == "":
			return nil, errors.New("connectors: a system has no name")
		case one.Connector == nil:
			return nil, fmt.Errorf("connectors: the system %s has no connector", one.Name)
		case s.systems[one.Name] != nil:
			return nil, fmt.Errorf("connectors: two systems are named %s", one.Name)
		}
		if one.Timeout == 0 {
			one.Timeout = DefaultTimeout
		}
		s.systems[one.Name] = newSystem(one, &o, m)
		s.order = append(s.order, one.Name)
	}
	if o.Metrics != nil {
		if err := o.Metrics.Register(conditions{s}); err != nil {
			return nil, fmt.Errorf("connectors: registering metrics: %w", err)
		}
	}
	return s, nil
}

func newSystem(one System, o *Options, m *metrics) *system {
	s := &system{System: one, options: o, metrics: m, redact: newRedactor(one.Secrets), pace: newPace(one, o.Log, m)}
	s.breaker = newBreaker(s.pace.log, func(ctx context.Context) error {
		_, err := s.probe(ctx, nil)
		return err
	})
	if one.Hints != nil {
		one.Hints.bind(s.pace.hint)
	}
	return s
}

// Systems lists the systems in the order of the configuration.
func (s *Set) Systems() []Info {
	out := make([]Info, len(s.order))
	for i, name := range s.order {
		one := s.systems[name]
		out[i] = Info{Name: one.Name, Kind: one.Kind, Granted: one.granted(), Rate: one.Rate, Timeout: one.Timeout, Condition: one.condition()}
	}
	return out
}

// Close closes every connector and joins their errors. No other call follows it.
func (s *Set) Close() error {
	var all []error
	for _, name := range s.order {
		s.systems[name].breaker.close()
		if err := s.systems[name].Connector.Close(); err != nil {
			all = append(all, fmt.Errorf("closing the connection to %s: %w", name, s.systems[name].redact.wrap(err)))
		}
	}
	return errors.Join(all...)
}

// find gives the system of that name. A task can outlive the configuration that it was accepted under.
func (s *Set) find(name string) (*system, error) {
	if one := s.systems[name]; one != nil {
		return one, nil
	}
	return nil, schemas.Fail(schemas.CodeUnexpected,
		"no system named %q is configured; add it under systems: and run the task again, or cancel it", name).Because(schemas.ErrNotFound)
}

// bound gives a context that ends with the system's time-out.
func (s *system) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.Timeout)
}
