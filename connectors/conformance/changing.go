package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// reset: every mode does what it promises, however often it is asked for.
func (s *suite) reset(t *testing.T) {
	c := s.open(t)
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire, schemas.ModeRecovery} {
		t.Run(string(mode), func(t *testing.T) {
			if !s.has(mode) {
				s.cannot(t, c, mode)
				return
			}
			p := s.Fresh(t)
			id := s.identity(t, p)
			if s.Login(t, p, p.Password) != LoginAccepted {
				t.Fatal("the harness's own password does not sign in to begin with")
			}
			before := s.evidence(t, c, id)
			for _, count := range []string{"once", "twice"} {
				_, err := c.Reset(t.Context(), id, mode)
				must(t, "Reset "+count, err)
				s.inForce(t, c, p, mode, before)
			}
			// The second reset alone, seen from after the first.
			since := s.evidence(t, c, id)
			got, err := c.Reset(t.Context(), id, mode)
			must(t, "Reset, the third time", err)
			proof, err := c.Verify(t.Context(), id, since)
			must(t, "Verify", err)
			if got.Code == schemas.CodeOK && proof.State != schemas.ProofEnforced {
				t.Errorf("a reset of an account that was reset already is %s (%s)", proof.State, proof.Detail)
			}
			if got.Code == schemas.CodeOK && mode == schemas.ModeRandomize && !proof.Changed {
				t.Error("a second password was set, but it does not count as a change")
			}
		})
	}
	t.Run("an account that is gone", func(t *testing.T) {
		_, err := c.Reset(t.Context(), schemas.Identity{ID: "00000000-0000-4000-8000-000000000000"}, s.Modes[0])
		want(t, "Reset", err, schemas.CodeAccountNotFound)
	})
}

// inForce holds an account against what a mode promises.
func (s *suite) inForce(t *testing.T, c connectors.Connector, p Person, mode schemas.Mode, since schemas.Evidence) {
	t.Helper()
	proof, err := c.Verify(t.Context(), s.identity(t, p), since)
	must(t, "Verify", err)
	if proof.State != schemas.ProofEnforced || !proof.Evidence.MustChange {
		t.Errorf("after %s: %s, must change %t (%s)", mode, proof.State, proof.Evidence.MustChange, proof.Detail)
	}
	login := s.Login(t, p, p.Password)
	if mode == schemas.ModeExpire {
		if login != LoginMustChange || proof.Changed {
			t.Errorf("after expire: the old password is %s, changed %t; want %s and not changed", login, proof.Changed, LoginMustChange)
		}
		return
	}
	if login != LoginRefused {
		t.Errorf("after %s: the old password is %s", mode, login)
	}
	if mode == schemas.ModeRandomize && !proof.Changed {
		t.Error("after randomize: the password does not count as changed")
	}
}

// cannot checks that a mode which the system does not have is refused and changes nothing.
func (s *suite) cannot(t *testing.T, c connectors.Connector, mode schemas.Mode) {
	t.Helper()
	p := s.Fresh(t)
	before := s.evidence(t, c, s.identity(t, p))
	_, err := c.Reset(t.Context(), s.identity(t, p), mode)
	want(t, "Reset in the mode "+string(mode), err, schemas.CodeUnsupported)
	if !s.evidence(t, c, s.identity(t, p)).Same(before) || s.Login(t, p, p.Password) != LoginAccepted {
		t.Errorf("the mode %s is unsupported, but changed the account", mode)
	}
}

// evidence reads what a worker would store before it changes anything.
func (s *suite) evidence(t *testing.T, c connectors.Connector, id schemas.Identity) schemas.Evidence {
	t.Helper()
	class, err := c.Classify(t.Context(), id)
	must(t, "Classify", err)
	return class.Evidence
}

// revoke: it is done, or said not to be possible.
func (s *suite) revoke(t *testing.T) {
	c := s.open(t)
	got, err := c.Revoke(t.Context(), s.identity(t, s.Fresh(t)))
	must(t, "Revoke", err)
	if s.Revokes != got.Code.OK() || !s.Revokes && got.Code != schemas.CodeUnsupported {
		t.Errorf("Revoke gives %s; the system can end sessions: %t", got.Code, s.Revokes)
	}
	if got.Code == schemas.CodeUnsupported && got.Detail == "" {
		t.Error("an unsupported Revoke must say what goes on")
	}
}

// verify: an account that nobody has touched proves nothing.
func (s *suite) verify(t *testing.T) {
	c := s.open(t)
	id := s.identity(t, s.Fresh(t))
	since := s.evidence(t, c, id)
	proof, err := c.Verify(t.Context(), id, since)
	must(t, "Verify", err)
	if proof.State != schemas.ProofNotEnforced || proof.Changed || !proof.Evidence.Same(since) {
		t.Errorf("an untouched account is %+v; want not_enforced, not changed, and the same evidence", proof)
	}
	_, err = c.Verify(t.Context(), schemas.Identity{ID: "00000000-0000-4000-8000-000000000000"}, since)
	want(t, "an account that is gone", err, schemas.CodeAccountNotFound)
}

// crowd sends many accounts through one connector at the same time.
func (s *suite) crowd(t *testing.T) {
	const size = 100
	c := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	people := make([]Person, size)
	for i := range people {
		people[i] = s.Fresh(t)
	}
	var all sync.WaitGroup
	for _, p := range people {
		all.Go(func() {
			id, err := c.Resolve(ctx, p.Account)
			if err != nil {
				t.Errorf("Resolve %s: %v", p.Account, err)
				return
			}
			class, err := c.Classify(ctx, id)
			if err == nil {
				_, err = c.Reset(ctx, id, s.Modes[0])
			}
			proof, last := c.Verify(ctx, id, class.Evidence)
			if err != nil || last != nil || proof.State != schemas.ProofEnforced {
				t.Errorf("%s: %v, %v, %s", p.Account, err, last, proof.State)
			}
		})
	}
	all.Wait()
	for _, p := range people[:10] {
		if s.Modes[0] == schemas.ModeRandomize && s.Login(t, p, p.Password) != LoginRefused {
			t.Errorf("%s: the old password still works", p.Account)
		}
	}
}
