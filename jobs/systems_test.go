package jobs_test

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// systems is a set of IAM systems in memory. Each call can be intercepted by a script.
type systems struct {
	mu    sync.Mutex
	state map[string]*account // by system/account
	// on is asked before each step; an error becomes the step's answer, and nothing is changed.
	on func(system string, step schemas.StepName, id string) error
	// after is asked after a reset was applied; an error is what the caller sees instead of the receipt.
	after func(system, id string) error
	// proof, if set, may put another proof in the place of a verification's.
	proof func(system string, p schemas.Proof) schemas.Proof
	// sealed is what a receipt carries.
	sealed string
	// known tells which account is meant by a name; any other name is an account of its own.
	known map[schemas.Account]string
	// allows, if set, answers a preflight.
	allows func(system string, mode schemas.Mode) error
}

type account struct {
	sets       int // how often the password was set
	mustChange bool
	class      schemas.Class
	changed    time.Time // when the password was set before all
}

func newSystems() *systems { return &systems{state: map[string]*account{}} }

func (s *systems) account(system, id string) *account {
	key := system + "/" + id
	if s.state[key] == nil {
		s.state[key] = &account{class: schemas.Class{Origin: schemas.OriginNative, Enabled: true}}
	}
	return s.state[key]
}

// sets tells how often a password was set.
func (s *systems) sets(system, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(system, id).sets
}

func (s *systems) ask(ctx context.Context, system string, step schemas.StepName, id string) error {
	s.mu.Lock()
	on := s.on
	s.mu.Unlock()
	if on == nil {
		return ctx.Err()
	}
	if err := on(system, step, id); err != nil {
		return err
	}
	return ctx.Err()
}

func (a *account) evidence() schemas.Evidence {
	return schemas.Evidence{PasswordChangedAt: a.changed, MustChange: a.mustChange, Marker: strconv.Itoa(a.sets)}
}

func (s *systems) Resolve(ctx context.Context, system string, a schemas.Account) (schemas.Identity, error) {
	if err := s.ask(ctx, system, schemas.StepResolve, a.Value); err != nil {
		return schemas.Identity{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := a.Value
	if one, ok := s.known[a]; ok {
		id = one
	}
	return schemas.Identity{ID: id, Name: "cn=" + id}, nil
}

func (s *systems) Classify(ctx context.Context, system string, id schemas.Identity) (schemas.Class, error) {
	if err := s.ask(ctx, system, schemas.StepClassify, id.ID); err != nil {
		return schemas.Class{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(system, id.ID)
	c := a.class
	c.Evidence = a.evidence()
	return c, nil
}

func (s *systems) Preflight(ctx context.Context, system string, mode schemas.Mode) error {
	s.mu.Lock()
	allows := s.allows
	s.mu.Unlock()
	if allows != nil {
		if err := allows(system, mode); err != nil {
			return err
		}
	}
	return s.ask(ctx, system, schemas.StepPreflight, "")
}

func (s *systems) Reset(ctx context.Context, system string, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if err := s.ask(ctx, system, schemas.StepReset, id.ID); err != nil {
		return schemas.Receipt{}, err
	}
	s.mu.Lock()
	a := s.account(system, id.ID)
	if mode == schemas.ModeExpire && a.mustChange {
		s.mu.Unlock()
		return schemas.Receipt{Code: schemas.CodeAlreadyInForce}, nil
	}
	if mode != schemas.ModeExpire {
		a.sets++
	}
	a.mustChange = true
	after, sealed := s.after, s.sealed
	s.mu.Unlock()
	if after != nil {
		if err := after(system, id.ID); err != nil {
			return schemas.Receipt{}, err
		}
	}
	return schemas.Receipt{Code: schemas.CodeOK, Sealed: sealed}, nil
}

func (s *systems) Revoke(ctx context.Context, system string, id schemas.Identity) (schemas.Receipt, error) {
	if err := s.ask(ctx, system, schemas.StepRevoke, id.ID); err != nil {
		return schemas.Receipt{}, err
	}
	return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "sessions go on"}, nil
}

func (s *systems) Verify(ctx context.Context, system string, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	if err := s.ask(ctx, system, schemas.StepVerify, id.ID); err != nil {
		return schemas.Proof{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.account(system, id.ID).evidence()
	p := schemas.Proof{State: schemas.ProofNotEnforced, Changed: now.Marker != since.Marker, Evidence: now}
	if now.MustChange && !now.Same(since) {
		p.State = schemas.ProofEnforced
	}
	if s.proof != nil {
		p = s.proof(system, p)
	}
	return p, nil
}

// script replaces the interception.
func (s *systems) script(on func(system string, step schemas.StepName, id string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = on
}
