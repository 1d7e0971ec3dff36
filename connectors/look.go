package connectors

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// The bounds of a look at one account: how long it takes at most, however slow a system is, and how many systems are asked
// at a time.
const (
	LookLimit = 15 * time.Second
	lookers   = 16
)

// Look reads an account on every system at once, without changing anything. There is one sighting for each system, in the
// order of the configuration; a system that is slow or down says so in its own and holds up no other. Every call counts
// against its system's rate.
func (s *Set) Look(ctx context.Context, a schemas.Account) schemas.AccountReport {
	ctx, cancel := context.WithTimeout(ctx, LookLimit)
	defer cancel()
	type seen struct {
		at int
		schemas.Sighting
	}
	out := schemas.AccountReport{Account: a, Systems: make([]schemas.Sighting, len(s.order))}
	answers := make(chan seen, len(s.order)) // room for all: whoever comes too late finds nobody and leaves
	places := make(chan struct{}, lookers)
	for i, name := range s.order {
		one := s.systems[name]
		unseen := one.unseen(timeUp())
		out.Systems[i] = unseen
		go func() {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				answers <- seen{i, one.look(ctx, a)}
			case <-ctx.Done():
				answers <- seen{i, unseen}
			}
		}()
	}
	// A connector ends soon after its context does; one that does not is left behind.
	until, _ := ctx.Deadline()
	ended, end := context.WithDeadline(context.WithoutCancel(ctx), until.Add(lookGrace))
	defer end()
	for range s.order {
		select {
		case got := <-answers:
			out.Systems[got.at] = got.Sighting
		case <-ended.Done():
			return out
		}
	}
	return out
}

// lookGrace is how long after the end of a look an answer is still taken.
const lookGrace = 250 * time.Millisecond

// timeUp says that the time of a look was up.
func timeUp() *schemas.Failure {
	return schemas.Fail(schemas.CodeTimedOut, "there was no answer in the time that a look may take, %s at most; the other systems were not held up", LookLimit)
}

// look reads the account on one system.
func (s *system) look(ctx context.Context, a schemas.Account) (out schemas.Sighting) {
	began := time.Now()
	defer func() { out.TookMS = time.Since(began).Milliseconds() }()
	id, err := s.resolve(ctx, a)
	if err != nil {
		return s.unseen(orLate(ctx, err))
	}
	class, err := s.classify(ctx, id)
	if err != nil {
		out = s.unseen(orLate(ctx, err))
		out.State, out.Identity = schemas.SightingFailed, &id // it is there; what it is could not be read
		return out
	}
	out = schemas.Sighting{System: s.Name, Kind: s.Kind, State: schemas.SightingFound, Code: schemas.CodeOK,
		Permission: s.permission(), Identity: &id, Profile: schemas.ProfileOf(class)}
	// What the system can do is of interest and no more: an account that was found is not lost for want of it.
	if got, err := s.capabilities(ctx); err == nil {
		out.Modes, out.Revoke = got.Modes, got.Revoke
	}
	return out
}

// orLate says of a call that ended with the look itself that the time was up.
func orLate(ctx context.Context, err error) error {
	if ctx.Err() != nil && schemas.CodeOf(err) == schemas.CodeTimedOut {
		return timeUp()
	}
	return err
}

// unseen is the sighting of an account that was not read, with the reason.
func (s *system) unseen(err error) schemas.Sighting {
	out := schemas.Sighting{System: s.Name, Kind: s.Kind, State: schemas.SightingFailed, Code: schemas.CodeOf(err), Detail: detailOf(err),
		Permission: s.permission()}
	switch out.Code {
	case schemas.CodeAccountNotFound:
		out.State = schemas.SightingNotFound
	case schemas.CodeAccountAmbiguous:
		out.State = schemas.SightingAmbiguous
	}
	return out
}

func (s *system) permission() schemas.Permission {
	if s.granted() {
		return schemas.PermissionGranted
	}
	return schemas.PermissionNotGranted
}
