package conformance

import (
	"errors"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// passing: what goes by without a fault of anybody, or passes after a while.
func (s *suite) passing(t *testing.T) {
	if s.Slow != nil {
		t.Run("slow", func(t *testing.T) { s.walks(t, s.Slow) })
	}
	if s.Expired != nil {
		t.Run("token expired", func(t *testing.T) { s.walks(t, s.Expired) })
	}
	if s.Busy != nil {
		t.Run("busy", s.busy)
	}
	if s.Rename != nil {
		t.Run("renamed", s.renamed)
	}
}

// walks goes all the way of an enforcement.
func (s *suite) walks(t *testing.T, fault Fault) {
	c, p := fault(t)
	c = s.watch(t, c)
	id, err := c.Resolve(t.Context(), p.Account)
	must(t, "Resolve", err)
	before := s.evidence(t, c, id)
	_, err = c.Probe(t.Context())
	must(t, "Probe", err)
	_, err = c.Reset(t.Context(), id, s.Modes[0])
	must(t, "Reset", err)
	_, err = c.Revoke(t.Context(), id)
	must(t, "Revoke", err)
	s.inForce(t, c, p, s.Modes[0], before)
}

// busy: a pause that the system asks for is told as such, with its length, and nothing is changed.
func (s *suite) busy(t *testing.T) {
	for name, do := range s.calls() {
		t.Run(name, func(t *testing.T) {
			c, p := s.Busy(t)
			c = s.watch(t, c)
			err := do(t.Context(), c, p)
			want(t, name, err, schemas.CodeRateLimited)
			if f, ok := errors.AsType[*schemas.Failure](err); ok && (f.RetryAfter < 5*time.Second || f.RetryAfter > 10*time.Second) {
				t.Errorf("%s: the wait is %s, want about 7 s", name, f.RetryAfter)
			}
			if s.Login(t, p, p.Password) != LoginAccepted {
				t.Errorf("%s: the account was changed", name)
			}
		})
	}
}

// renamed: an account that gets another name after it was found is acted on all the same, and its old name finds nobody.
func (s *suite) renamed(t *testing.T) {
	var c connectors.Connector = s.open(t)
	p := s.Fresh(t)
	id, err := c.Resolve(t.Context(), p.Account)
	must(t, "Resolve", err)
	before := s.evidence(t, c, id)
	now := s.Rename(t, p)
	_, err = c.Reset(t.Context(), id, s.Modes[0])
	must(t, "Reset of an account that was renamed in between", err)
	s.inForce(t, c, now, s.Modes[0], before)
	_, err = c.Resolve(t.Context(), p.Account)
	want(t, "Resolve by the old name", err, schemas.CodeAccountNotFound)
	again, err := c.Resolve(t.Context(), now.Account)
	must(t, "Resolve by the new name", err)
	if again.ID != id.ID {
		t.Errorf("the new name leads to %s, want %s", again.ID, id.ID)
	}
}
