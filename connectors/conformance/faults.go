package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// patience is how long a call may go on after its context has ended. Much more than it takes, for machines under load; a
// call that waits for the system would take for ever.
const patience = 10 * time.Second

// faults: each has its code, and none holds a caller up.
func (s *suite) faults(t *testing.T) {
	for _, one := range []struct {
		name  string
		fault Fault
		codes []schemas.Code
	}{
		{"down", s.Down, []schemas.Code{schemas.CodeUnavailable}},
		{"hang", s.Hang, []schemas.Code{schemas.CodeTimedOut, schemas.CodeUnavailable}},
		// Nonsense can look like the beginning of an answer, so waiting for the rest is allowed.
		{"garbage", s.Garbage, []schemas.Code{schemas.CodeUnavailable, schemas.CodeUnexpected, schemas.CodeTimedOut}},
		{"cut off", s.CutOff, []schemas.Code{schemas.CodeUnavailable}},
		{"wrong credential", s.WrongCredential, []schemas.Code{schemas.CodeBadCredentials}},
	} {
		if one.fault == nil {
			continue
		}
		t.Run(one.name, func(t *testing.T) { s.fails(t, one.fault, one.codes) })
	}
	if s.Hang != nil {
		t.Run("a caller that gives up", s.givesUp)
	}
	if s.NoRights != nil {
		t.Run("no rights", s.noRights)
	}
	if s.AnswerLost != nil {
		t.Run("answer lost", s.answerLost)
	}
}

// fails sends every call that needs the system into a fault that nothing gets through.
func (s *suite) fails(t *testing.T, fault Fault, codes []schemas.Code) {
	for name, do := range s.calls() {
		t.Run(name, func(t *testing.T) {
			c, p := fault(t)
			c = s.watch(t, c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			want(t, name, s.prompt(t, ctx, func() error { return do(ctx, c, p) }), codes...)
		})
	}
}

// calls are those that need the system.
func (s *suite) calls() map[string]func(context.Context, connectors.Connector, Person) error {
	return map[string]func(context.Context, connectors.Connector, Person) error{
		"probe": func(ctx context.Context, c connectors.Connector, _ Person) error {
			_, err := c.Probe(ctx)
			return err
		},
		"resolve": func(ctx context.Context, c connectors.Connector, p Person) error {
			_, err := c.Resolve(ctx, p.Account)
			return err
		},
		"classify": func(ctx context.Context, c connectors.Connector, p Person) error {
			_, err := c.Classify(ctx, schemas.Identity{ID: p.ID})
			return err
		},
		"reset": func(ctx context.Context, c connectors.Connector, p Person) error {
			_, err := c.Reset(ctx, schemas.Identity{ID: p.ID}, s.Modes[0])
			return err
		},
		"verify": func(ctx context.Context, c connectors.Connector, p Person) error {
			_, err := c.Verify(ctx, schemas.Identity{ID: p.ID}, schemas.Evidence{})
			return err
		},
	}
}

// prompt fails the test unless the call comes back soon after its context has ended.
func (s *suite) prompt(t *testing.T, ctx context.Context, do func() error) error {
	t.Helper()
	back := make(chan error, 1)
	go func() { back <- do() }()
	select {
	case err := <-back:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-back:
		return err
	case <-time.After(patience):
		t.Fatal("the call does not come back although its context has ended")
		return nil
	}
}

// givesUp: a caller without a deadline that goes away.
func (s *suite) givesUp(t *testing.T) {
	for name, do := range s.calls() {
		t.Run(name, func(t *testing.T) {
			c, p := s.Hang(t)
			c = s.watch(t, c)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			want(t, name, s.prompt(t, ctx, func() error { return do(ctx, c, p) }), schemas.CodeTimedOut, schemas.CodeUnavailable)
		})
	}
}

// noRights: the probe tells beforehand what the reset is refused for.
func (s *suite) noRights(t *testing.T) {
	c, p := s.NoRights(t)
	c = s.watch(t, c)
	id := s.identity(t, p)
	before := s.evidence(t, c, id)
	got, err := c.Probe(t.Context())
	must(t, "Probe", err)
	if len(got.Missing) == 0 {
		t.Error("the probe names no missing right")
	}
	for _, m := range s.Modes {
		_, err := c.Reset(t.Context(), id, m)
		want(t, "Reset in the mode "+string(m), err, schemas.CodePermissionMissing)
	}
	if !s.evidence(t, c, id).Same(before) || s.Login(t, p, p.Password) != LoginAccepted {
		t.Error("a reset that was refused changed the account")
	}
}

// answerLost is the case that the stored evidence is there for: the next one who comes must be able to tell.
func (s *suite) answerLost(t *testing.T) {
	healthy := s.open(t)
	for _, m := range s.Modes {
		t.Run(string(m), func(t *testing.T) {
			c, p := s.AnswerLost(t)
			c = s.watch(t, c)
			since := s.evidence(t, healthy, s.identity(t, p))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := c.Reset(ctx, s.identity(t, p), m)
			want(t, "Reset", err, schemas.CodeTimedOut)
			s.inForce(t, healthy, p, m, since)
		})
	}
}
