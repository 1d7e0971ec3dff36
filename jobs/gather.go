package jobs

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// gathering finds out, for the requests of one delivery, which of them other tasks do already.
type gathering struct {
	svc    *Service
	source string
	now    time.Time
	first  map[Subject]schemas.Event // the accepted event of the first request of this delivery
	read   map[string]*schemas.Task  // tasks that were looked up; nil for one that is not there
}

func (s *Service) gather(source string, now time.Time) *gathering {
	return &gathering{svc: s, source: source, now: now, first: map[Subject]schemas.Event{}, read: map[string]*schemas.Task{}}
}

// join gives what follows the accepted event of a request: one of its systems waits for another task, or is done already.
// Where there is no such task the request is the first, and later ones may join it.
func (g *gathering) join(ctx context.Context, accepted schemas.Event) []schemas.Event {
	var then []schemas.Event
	r := accepted.Accepted.Request
	for _, system := range accepted.Accepted.Systems {
		window := g.svc.window(g.source, system)
		if window == 0 || r.DryRun {
			continue
		}
		subject := askedFor(system, r.Mode, r.Account)
		if leader := g.leader(ctx, subject, window); leader != nil && asksAs(*leader, system, r.Account) {
			switch with, how := joins(*leader, system, r, window, g.now); how {
			case waits:
				g.svc.crowd.expect(with.EnforcementID)
				then = append(then, g.svc.waiting(accepted.TaskID, system, with, leader.On(system).Identity, g.now))
				continue
			case shares:
				then = append(then, schemas.Event{TaskID: accepted.TaskID, At: g.now, Type: schemas.EventClaimed, Actor: g.svc.actor(), System: system, Generation: 2},
					g.svc.shared(accepted.TaskID, system, *leader, *leader.On(system), g.now))
				continue
			}
		}
		g.first[subject] = accepted
	}
	return then
}

// asksAs tells whether a task looks for its account on a system by a name. One that another system has routed there looks
// by the name that is known to that one, and the name it was asked for may be somebody else's there.
func asksAs(t schemas.Task, system string, a schemas.Account) bool {
	n := t.On(system)
	return n != nil && soughtBy(t, *n) == a
}

// leader gives the task that was first to ask for a subject, as far as this process knows.
func (g *gathering) leader(ctx context.Context, s Subject, window time.Duration) *schemas.Task {
	if e, ok := g.first[s]; ok {
		if t, err := (schemas.Task{}).Apply(e); err == nil {
			return &t
		}
		return nil
	}
	one, ok := g.svc.leads.get(s)
	if !ok || !one.over.IsZero() && over(one.over, window, g.now) {
		return nil
	}
	t, ok := g.read[one.task]
	if !ok {
		if got, err := g.svc.Ledger.Task(ctx, one.task); err == nil { // otherwise it is as if nobody had asked
			t = &got
		}
		g.read[one.task] = t
	}
	return t
}

// recorded remembers the first ones, once they are durable, and counts the others.
func (g *gathering) recorded(tasks []schemas.Task) {
	for s, e := range g.first {
		g.svc.leads.put(s, e.TaskID)
	}
	for _, t := range tasks {
		for _, n := range t.Enforcements {
			if n.CoalescedWith != nil {
				g.svc.count.coalesced.WithLabelValues(t.Source, n.System).Inc()
				if n.Status.Final() { // it ended as it began, by a reset that was done lately
					g.svc.tellShared(t, n)
				}
			}
		}
	}
}
