// Package imitation is a kind of IAM system that exists only in memory and takes a fixed time for a reset. It is compiled
// into benchmark builds alone (build tag bench), so that what is measured is resetd and not a directory.
package imitation

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// Config sets how long a reset takes, in milliseconds. With Report, the imitation writes there what it has seen when it is
// closed; Limit is the number of calls in any second that it counts violations against.
type Config struct {
	ResetMS int    `yaml:"reset_ms"`
	Limit   int    `yaml:"limit"`
	Report  string `yaml:"report" path:"file"`
}

// Kind is what a benchmark build adds to the kinds.
func Kind() connectors.Kind {
	return connectors.Kind{Name: "imitation", New: func() connectors.Config { return &Config{ResetMS: 20} }, Example: "reset_ms: 20\n"}
}

// Validate refuses a negative time.
func (c *Config) Validate() error {
	if c.ResetMS < 0 {
		return connectors.Mistake("reset_ms", "it must not be negative")
	}
	return nil
}

// Secrets are none.
func (c *Config) Secrets() []schemas.Secret { return nil }

// Open makes an empty system in which every account exists.
func (c *Config) Open(connectors.Env) (connectors.Connector, error) {
	return &system{delay: time.Duration(c.ResetMS) * time.Millisecond, file: c.Report, watch: watch{limit: c.Limit}, resets: map[string]int{}}, nil
}

type system struct {
	delay time.Duration
	file  string
	watch watch

	mu     sync.Mutex
	resets map[string]int // by account
}

func (s *system) evidence(id string) schemas.Evidence {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.resets[id]
	return schemas.Evidence{MustChange: n > 0, Marker: strconv.Itoa(n)}
}

func (s *system) Probe(context.Context) (schemas.Capabilities, error) {
	s.watch.call()
	return schemas.Capabilities{Product: "imitation", Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Revoke: true}, nil
}

func (s *system) Resolve(_ context.Context, a schemas.Account) (schemas.Identity, error) {
	s.watch.call()
	return schemas.Identity{ID: a.Key(), Name: a.Value}, nil
}

func (s *system) Classify(_ context.Context, id schemas.Identity) (schemas.Class, error) {
	s.watch.call()
	return schemas.Class{Origin: schemas.OriginNative, Enabled: true, Evidence: s.evidence(id.ID)}, nil
}

func (s *system) Reset(ctx context.Context, id schemas.Identity, _ schemas.Mode) (schemas.Receipt, error) {
	s.watch.call()
	select {
	case <-ctx.Done():
		return schemas.Receipt{}, schemas.Fail(schemas.CodeTimedOut, "the imitation was interrupted")
	case <-time.After(s.delay):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resets[id.ID]++
	return schemas.Receipt{Code: schemas.CodeOK}, nil
}

func (s *system) Revoke(context.Context, schemas.Identity) (schemas.Receipt, error) {
	s.watch.call()
	return schemas.Receipt{Code: schemas.CodeOK}, nil
}

func (s *system) Verify(_ context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	s.watch.call()
	now := s.evidence(id.ID)
	if now.Same(since) {
		return schemas.Proof{State: schemas.ProofNotEnforced, Evidence: now}, nil
	}
	return schemas.Proof{State: schemas.ProofEnforced, Changed: true, Evidence: now}, nil
}

// Close writes the report.
func (s *system) Close() error {
	if s.file == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch.save(s.file, s.resets)
}
