package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/resetd/resetd/schemas"
)

// leaderOf gives an enforcement that others wait for, and its task; nil if it is gone.
func (s *Service) leaderOf(ctx context.Context, enforcement string) (schemas.Task, *schemas.Enforcement, error) {
	t, err := s.Ledger.Task(ctx, schemas.TaskOf(enforcement))
	if errors.Is(err, schemas.ErrNotFound) {
		return t, nil, nil
	}
	return t, t.Enforcement(enforcement), err
}

// errGoesOn is why a follower is not given its leader's end: that is not the end of what was asked for.
var errGoesOn = errors.New("goes on by itself")

// goesOn tells why a follower does not share the end of its leader, which is gone if n is nil; empty if it does.
func (s *Service) goesOn(leader schemas.Task, n *schemas.Enforcement, t schemas.Task, f schemas.Enforcement) string {
	switch {
	case n == nil:
		return "the task that it waited for is no longer known"
	case n.Status == schemas.StatusCancelled, n.Status == schemas.StatusRejected:
		return fmt.Sprintf("task %s, which it waited for, was %s", leader.ID, n.Status)
	case !oneAccount(leader, *n, t, f):
		return fmt.Sprintf("task %s, which it waited for, came to another account", leader.ID)
	case n.Status == schemas.StatusSuccessful && !answers(leader, *n, t.Request):
		return fmt.Sprintf("task %s, which it waited for, did not set the password since the time that is asked for", leader.ID)
	case n.Status == schemas.StatusSuccessful:
		return ""
	case n.FinishedAt.Before(t.CreatedAt):
		return fmt.Sprintf("task %s, which it was to wait for, had failed before", leader.ID)
	case n.Code.Retryable() && s.feeders[QueueOf(n.System)] != nil && s.Now().Sub(t.CreatedAt) < s.Timing.RetryFor:
		return fmt.Sprintf("task %s, which it waited for, was given up after its time, and this one's is not over", leader.ID)
	case n.Code == schemas.CodeResetAtSource && leader.Source != t.Source:
		return fmt.Sprintf("task %s, which it waited for, came from a source that may not act where the password lives", leader.ID)
	}
	return ""
}

// follower is one that waits, as it was seen last.
type follower struct {
	work Work
	task schemas.Task
}

// dismiss gives followers the end of their leader, and sends those on their way that do not share it. It gives how many
// have stopped waiting for it.
func (c *crowd) dismiss(ctx context.Context, leader schemas.Task, n *schemas.Enforcement, works []Work) int {
	s := c.svc
	var done atomic.Int64
	var mu sync.Mutex
	var left []follower
	each(works, crowdHands, func(w Work) {
		var seen schemas.Task
		t, err := s.release(ctx, w, func(t schemas.Task, f schemas.Enforcement) ([]schemas.Event, error) {
			seen = t
			if s.goesOn(leader, n, t, f) != "" {
				return nil, errGoesOn
			}
			now := s.Now()
			return []schemas.Event{{TaskID: t.ID, At: now, Type: schemas.EventClaimed, Actor: s.actor(), System: f.System, Generation: f.Generation + 1},
				s.shared(t.ID, f.System, leader, *n, now)}, nil
		})
		switch {
		case err == nil:
			s.tellShared(t, *t.Enforcement(w.ID))
			s.free(t)
			done.Add(1)
		case errors.Is(err, errGoesOn):
			mu.Lock()
			left = append(left, follower{w, seen})
			mu.Unlock()
		}
	})
	return int(done.Load()) + c.send(ctx, leader, n, left)
}

// send sends those on their way that waited for one whose end is not theirs, for each account by itself. It gives how many
// were sent.
func (c *crowd) send(ctx context.Context, leader schemas.Task, n *schemas.Enforcement, left []follower) int {
	type account struct {
		name schemas.Account
		id   string
	}
	groups := map[account][]follower{}
	for _, f := range left {
		e := f.task.Enforcement(f.work.ID)
		key := account{name: soughtBy(f.task, *e)}
		if e.Identity != nil {
			key = account{id: e.Identity.ID}
		}
		groups[key] = append(groups[key], f)
	}
	sent := 0
	for _, group := range groups {
		sent += c.sendGroup(ctx, leader, n, group)
	}
	return sent
}

// sendGroup sends those of one account on their way: the first of them goes on by itself, and the others wait for it, if it
// does what they ask for.
func (c *crowd) sendGroup(ctx context.Context, leader schemas.Task, n *schemas.Enforcement, left []follower) int {
	s := c.svc
	// First who asks for most, then who asked first.
	slices.SortFunc(left, func(a, b follower) int {
		return cmp.Or(cmp.Compare(weight(b.task.Request), weight(a.task.Request)), cmp.Compare(a.work.ID, b.work.ID))
	})
	first, err := c.sendAlone(ctx, leader, n, left[0].work)
	if err != nil {
		return 0
	}
	next := first.Enforcement(left[0].work.ID)
	var sent atomic.Int64
	sent.Add(1)
	c.expect(next.ID)
	each(left[1:], crowdHands, func(f follower) {
		t, err := s.release(ctx, f.work, func(t schemas.Task, f schemas.Enforcement) ([]schemas.Event, error) {
			with, how := joins(first, f.System, t.Request, coalesceFor, s.Now())
			if how != waits || !oneAccount(first, *next, t, f) {
				return nil, errGoesOn
			}
			return []schemas.Event{s.waiting(t.ID, f.System, with, next.Identity, s.Now())}, nil
		})
		switch {
		case errors.Is(err, errGoesOn):
			_, err = c.sendAlone(ctx, leader, n, f.work)
		case err == nil:
			s.announce(t)
		}
		if err == nil {
			sent.Add(1)
		}
	})
	c.kick(next.ID) // it may have ended meanwhile
	return int(sent.Load())
}

// weight tells how much a request asks for, so that the one with the most can do for the others.
func weight(r schemas.Request) (n int) {
	if ends(r) {
		n += 2
	}
	if r.SkipIfChangedSince.IsZero() {
		n++
	}
	return n
}

// sendAlone has a follower go on by itself, as others will see in this process.
func (c *crowd) sendAlone(ctx context.Context, leader schemas.Task, n *schemas.Enforcement, w Work) (schemas.Task, error) {
	s := c.svc
	t, err := s.release(ctx, w, func(t schemas.Task, f schemas.Enforcement) ([]schemas.Event, error) {
		now := s.Now()
		why := s.goesOn(leader, n, t, f)
		if why == "" {
			return nil, errStale
		}
		return []schemas.Event{{TaskID: t.ID, At: now, Type: schemas.EventDeferred, Actor: s.actor(), System: f.System, DueAt: now, Detail: why + "; it goes on by itself"}}, nil
	})
	if err != nil {
		return t, err
	}
	f := t.Enforcement(w.ID)
	if f.Account == nil { // otherwise it is known here by another name than it was asked for
		s.leads.put(askedFor(f.System, t.Request.Mode, t.Request.Account), t.ID)
	}
	if feeder := s.feeders[QueueOf(f.System)]; feeder != nil {
		feeder.kick()
	}
	s.announce(t)
	return t, nil
}

// release changes a follower, if it still is one of the leader in whose queue it was found.
func (s *Service) release(ctx context.Context, w Work, decide func(schemas.Task, schemas.Enforcement) ([]schemas.Event, error)) (schemas.Task, error) {
	return s.Ledger.Transition(ctx, w.TaskID, func(t schemas.Task) ([]schemas.Event, error) {
		f := t.Enforcement(w.ID)
		if f == nil || !f.Follows() || f.Generation != w.Generation || FollowQueue(f.CoalescedWith.EnforcementID) != w.Queue {
			return nil, errStale
		}
		return decide(t, *f)
	})
}

// ended tells those that wait for what has just ended of a task, and what this process remembers of first ones.
func (s *Service) ended(t schemas.Task) {
	for _, n := range t.Enforcements {
		if n.Status.Final() && n.FinishedAt.Equal(t.UpdatedAt) {
			s.leads.ended(askedFor(n.System, t.Request.Mode, t.Request.Account), t, n)
			s.crowd.kick(n.ID)
		}
	}
}
