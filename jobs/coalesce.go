package jobs

import (
	"cmp"
	"fmt"
	"time"

	"github.com/resetd/resetd/schemas"
)

// coalesceFor is how long after the end of a reset those who ask for the same share it, unless the configuration says
// otherwise: for so long the alarms of one incident come in.
const coalesceFor = 15 * time.Minute

// window gives how long the resets of a system are shared by the requests of a source; zero means that nothing is
// coalesced. What is set for the source or the system counts, and of two the shorter; off for one is off.
func (s *Service) window(source, system string) time.Duration {
	a, b := s.Sources[source].Coalesce, s.Rules[system].Coalesce
	switch {
	case a < 0 || b < 0:
		return 0
	case a == 0 && b == 0:
		return coalesceFor
	case a == 0 || b == 0:
		return a + b
	}
	return min(a, b)
}

// joint is how a request and an enforcement of another task belong together.
type joint int

const (
	apart  joint = iota // not at all
	waits               // the request is waited for: the other one is under way
	shares              // the other one has done it
)

// joins tells how a request on a system belongs to another task, whose account the caller has compared, and with which
// enforcement. That of the other task may itself share the end of a third one, which is then the one that counts, and from
// whose end the window runs: otherwise each would hand the window on to the next, and an account would never be reset again.
//
// What was sent longer ago than the window is not waited for either: sessions that could not be ended for an hour make it
// no newer, and whoever is reported meanwhile may have been robbed of the new password.
func joins(leader schemas.Task, system string, r schemas.Request, window time.Duration, now time.Time) (schemas.Coalesced, joint) {
	n := leader.On(system)
	if n == nil || !covers(leader.Request, r) {
		return schemas.Coalesced{}, apart
	}
	with := endOf(leader, *n)
	switch {
	case !n.Status.Final():
		sent := sentAt(leader, *n)
		if sent.IsZero() {
			sent = now // what is to be sent yet will be
		}
		if r.SkipIfChangedSince.After(sent) || over(sent, window, now) {
			return with, apart
		}
		return with, waits
	case n.Status != schemas.StatusSuccessful || over(with.FinishedAt, window, now) || !answers(leader, *n, r):
		return with, apart
	}
	if sent := sentAt(leader, *n); over(cmp.Or(sent, n.StartedAt, with.FinishedAt), window, now) { // of a copy, the one at its source had ended
		return with, apart
	}
	return with, shares
}

// sentAt gives the time after which the reset of an enforcement was sent; zero if it was not, or in another one of its task.
// Who shares a reset does not know when it was sent, but hardly before he asked for it: who doubts that finds out by asking
// the system.
func sentAt(t schemas.Task, n schemas.Enforcement) time.Time {
	if n.CoalescedWith != nil {
		return t.CreatedAt
	}
	return n.IntentAt
}

// over tells whether a window that runs from a time is over. A time that lies as far ahead was read from a clock that has
// been set back since; it must not make the window as long as that.
func over(from time.Time, window time.Duration, now time.Time) bool {
	return now.Sub(from).Abs() >= window
}

// soughtBy gives the name by which an enforcement of a task looks for its account.
func soughtBy(t schemas.Task, n schemas.Enforcement) schemas.Account {
	if n.Account != nil {
		return *n.Account
	}
	return t.Request.Account
}

// oneAccount tells whether a follower is about the account that its leader is about: the one that was found for the
// follower, or, as long as nobody has looked, the one of the same name. A name may pass to somebody else, and an
// enforcement may get another name, between two attempts of the leader.
func oneAccount(leader schemas.Task, n schemas.Enforcement, t schemas.Task, f schemas.Enforcement) bool {
	if f.Identity != nil {
		return n.Identity != nil && n.Identity.ID == f.Identity.ID
	}
	return soughtBy(leader, n) == soughtBy(t, f)
}

// endOf names the enforcement whose end an enforcement of a task has, or will have: mostly its own.
func endOf(t schemas.Task, n schemas.Enforcement) schemas.Coalesced {
	if n.CoalescedWith != nil {
		return *n.CoalescedWith
	}
	return schemas.Coalesced{TaskID: t.ID, EnforcementID: n.ID, FinishedAt: n.FinishedAt}
}

// covers tells whether what one request has done is all that the other asks for. A dry run does nothing and is meant to
// look by itself.
func covers(leader, r schemas.Request) bool {
	return leader.Action == r.Action && leader.Mode == r.Mode && !leader.DryRun && !r.DryRun && (ends(leader) || !ends(r)) &&
		(r.Coalesce == nil || *r.Coalesce)
}

// ends tells whether a request wants sessions to be ended.
func ends(r schemas.Request) bool { return r.RevokeSessions == nil || *r.RevokeSessions }

// answers tells whether the success of an enforcement is that of a request too, as far as skip_if_changed_since goes: a
// password that was left alone is no reset for those who did not ask for that, and one that was set before the time they
// name is to be set again.
func answers(leader schemas.Task, n schemas.Enforcement, r schemas.Request) bool {
	since, left := r.SkipIfChangedSince, leader.Request.SkipIfChangedSince
	if !left.IsZero() && n.Code == schemas.CodeAlreadyInForce {
		return !since.IsZero() && !since.After(left)
	}
	return since.IsZero() || !n.IntentAt.IsZero() && !since.After(n.IntentAt)
}

// waiting is the event by which an enforcement begins to wait for another task's, for the account that was found there so
// far, if one was.
func (s *Service) waiting(t string, system string, with schemas.Coalesced, id *schemas.Identity, now time.Time) schemas.Event {
	return schemas.Event{TaskID: t, At: now, Type: schemas.EventCoalesced, Actor: s.actor(), System: system, CoalescedWith: &with, Identity: id,
		Detail: fmt.Sprintf("task %s does the same for this account; it waits for the end there", with.TaskID)}
}

// finals are the events that tell how an enforcement ended.
var finals = map[schemas.Status]schemas.EventType{schemas.StatusSuccessful: schemas.EventSucceeded, schemas.StatusUnsuccessful: schemas.EventFailed,
	schemas.StatusNotFound: schemas.EventNotFound, schemas.StatusNotApplicable: schemas.EventNotApplicable}

// shared is the event by which an enforcement ends as that of another task did. Steps and the sealed password stay there.
func (s *Service) shared(t string, system string, leader schemas.Task, n schemas.Enforcement, now time.Time) schemas.Event {
	with, told := endOf(leader, n), n.Detail
	if n.CoalescedWith == nil { // otherwise the detail tells it already
		told = fmt.Sprintf("nothing was done here: task %s did the same for this account and ended as %s at %s", leader.ID, n.Status, n.FinishedAt.UTC().Format(time.RFC3339))
		if n.Detail != "" {
			told += ": " + n.Detail
		}
	}
	return schemas.Event{TaskID: t, At: now, Type: finals[n.Status], Actor: s.actor(), System: system, Code: n.Code, Detail: told, Identity: n.Identity,
		CoalescedWith: &with}
}
