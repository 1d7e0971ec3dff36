package schemas

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Task is one requested action on one account: what the API shows, what a callback carries, what the ledger keeps.
type Task struct {
	ID             string        `json:"id"`
	Source         string        `json:"source"`
	IdempotencyKey string        `json:"idempotency_key"`
	Request        Request       `json:"request"`
	Callback       *CallbackPlan `json:"callback,omitempty"`
	Status         Status        `json:"status"`
	Code           Code          `json:"code,omitempty"`
	Detail         string        `json:"detail,omitempty"`
	Enforcements   []Enforcement `json:"enforcements"`
	Version        int           `json:"version"` // the number of events folded into it
	CreatedAt      time.Time     `json:"created_at"`
	UpdatedAt      time.Time     `json:"updated_at"`
	FinishedAt     time.Time     `json:"finished_at,omitzero"`
}

// ErrTransition marks an event that the state machine refuses.
var ErrTransition = errors.New("event not allowed in this state")

// Apply gives the task after an event; the task itself is not changed. It sets no time of its own: the same events give
// the same task, always. An event out of order or not in the state machine's table is refused with ErrTransition.
func (t Task) Apply(e Event) (Task, error) {
	if e.Seq != t.Version+1 {
		return t, fmt.Errorf("%w: event %d of task %s follows version %d", ErrTransition, e.Seq, e.TaskID, t.Version)
	}
	if e.Type == EventAccepted {
		return accept(t, e)
	}
	if t.Version == 0 {
		return t, fmt.Errorf("%w: task %s does not begin with accepted", ErrTransition, e.TaskID)
	}
	if e.TaskID != t.ID {
		return t, fmt.Errorf("%w: event %d of task %s is not one of task %s", ErrTransition, e.Seq, e.TaskID, t.ID)
	}
	if e.Type == EventRouted {
		return route(t, e)
	}
	if e.Type == EventCoalesced && (e.CoalescedWith == nil || e.CoalescedWith.TaskID == t.ID) {
		return t, fmt.Errorf("%w: coalesced must name an enforcement of another task", ErrTransition)
	}
	t.Enforcements = slices.Clone(t.Enforcements)
	hit := false
	for i := range t.Enforcements {
		n := &t.Enforcements[i]
		if e.System != "" && e.System != n.System {
			continue
		}
		to, ok := Next(n.Status, e.Type)
		if !ok {
			if e.System == "" {
				continue
			}
			return t, fmt.Errorf("%w: %s on %s, which is %s", ErrTransition, e.Type, e.System, n.Status)
		}
		hit = true
		n.apply(to, e)
	}
	if !hit {
		return t, fmt.Errorf("%w: %s on task %s, which is %s", ErrTransition, e.Type, t.ID, t.Status)
	}
	t.release(e.At)
	t.Version, t.UpdatedAt = e.Seq, e.At
	t.conclude(e)
	return t, nil
}

// route adds the enforcement on the system where the password lives, on the word of one that is in progress. One that is
// there already, and did not find the account by the name that was asked for, begins anew with the name that is known now.
func route(t Task, e Event) (Task, error) {
	via, at := t.On(e.Via), t.On(e.System)
	if e.System == "" || e.Account == nil || at != nil && !at.Misnamed() || via == nil || via.Status != StatusInProgress {
		return t, fmt.Errorf("%w: routed must name a system that is new or does not know the account, an account, and an enforcement in progress that said so", ErrTransition)
	}
	n := Enforcement{ID: EnforcementID(t.ID, len(t.Enforcements)), System: e.System, Status: StatusQueued, Generation: 1, Account: e.Account, Via: e.Via}
	t.Enforcements = slices.Clone(t.Enforcements)
	if at = t.On(e.System); at != nil {
		n.ID, n.Generation = at.ID, at.Generation+1
		*at = n
	} else {
		t.Enforcements = append(t.Enforcements, n)
	}
	t.Version, t.UpdatedAt = e.Seq, e.At
	t.conclude(e)
	return t, nil
}

// release lets those go on that waited for an enforcement which has ended by now. Their time begins with that: how long
// the other took is not held against their own tries.
func (t *Task) release(at time.Time) {
	for i := range t.Enforcements {
		n := &t.Enforcements[i]
		if n.WaitsFor == "" {
			continue
		}
		if source := t.On(n.WaitsFor); source == nil || source.Status.Final() {
			n.WaitsFor, n.NotBefore, n.StartedAt = "", time.Time{}, at
		}
	}
}

// On gives the enforcement on a system, or nil.
func (t *Task) On(system string) *Enforcement {
	for i := range t.Enforcements {
		if t.Enforcements[i].System == system {
			return &t.Enforcements[i]
		}
	}
	return nil
}

// Enforcement gives the enforcement with an id, or nil.
func (t Task) Enforcement(id string) *Enforcement {
	i := slices.IndexFunc(t.Enforcements, func(e Enforcement) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &t.Enforcements[i]
}

func accept(t Task, e Event) (Task, error) {
	if t.Version != 0 || e.Accepted == nil || len(e.Accepted.Systems) == 0 {
		return t, fmt.Errorf("%w: accepted must come first, once, and name at least one system", ErrTransition)
	}
	a := e.Accepted
	if a.Status != StatusQueued && a.Status != StatusPendingApproval && a.Status != StatusRejected {
		return t, fmt.Errorf("%w: a task cannot begin as %q", ErrTransition, a.Status)
	}
	for i, system := range a.Systems {
		if slices.Contains(a.Systems[:i], system) {
			return t, fmt.Errorf("%w: accepted names the system %s twice", ErrTransition, system)
		}
	}
	t = Task{ID: e.TaskID, Source: a.Source, IdempotencyKey: a.IdempotencyKey, Request: a.Request, Callback: a.Callback,
		Version: 1, CreatedAt: e.At, UpdatedAt: e.At, Enforcements: make([]Enforcement, len(a.Systems))}
	for i, system := range a.Systems {
		n := Enforcement{ID: EnforcementID(e.TaskID, i), System: system, Status: a.Status, Code: e.Code, Detail: e.Detail, Generation: 1}
		if a.Status.Final() {
			n.FinishedAt = e.At
		}
		t.Enforcements[i] = n
	}
	t.conclude(e)
	return t, nil
}

func (n *Enforcement) apply(to Status, e Event) {
	follows := n.CoalescedWith != nil
	if e.CoalescedWith != nil {
		n.CoalescedWith = e.CoalescedWith
		if !follows && n.Status == StatusInProgress {
			n.Attempts--
		}
	}
	n.Status, n.Code, n.Detail = to, e.Code, e.Detail
	n.NotBefore, n.FinishedAt, n.WaitsFor = time.Time{}, time.Time{}, ""
	if e.Sealed != "" {
		n.Sealed = e.Sealed
	}
	if e.Generation != 0 {
		n.Generation = e.Generation
	}
	if e.Identity != nil {
		n.Identity = e.Identity
	}
	n.Steps = mergeSteps(n.Steps, e.Steps)
	switch e.Type {
	case EventClaimed:
		if follows { // only to be given its end
			break
		}
		n.Attempts++
		if n.StartedAt.IsZero() {
			n.StartedAt = e.At
		}
	case EventIntended:
		n.Intent, n.IntentAt = e.Intent, e.At
	case EventDeferred:
		if follows { // it goes on by itself, and its time begins
			n.CoalescedWith, n.StartedAt = nil, time.Time{}
		}
		n.NotBefore, n.WaitsFor = e.DueAt, e.WaitsFor
		if e.Waited {
			n.Attempts--
		}
		// A system that asks us to wait instead of resetting has not done it: there is no doubt then. That it asks so in any
		// other step says nothing of a reset that was sent before.
		if slices.ContainsFunc(e.Steps, func(s Step) bool { return s.Name == StepReset && s.Code == CodeRateLimited }) {
			n.Intent, n.IntentAt = nil, time.Time{}
		}
	case EventRetried: // a person's decision to begin anew, whatever was before
		n.Attempts, n.Steps, n.StartedAt, n.Intent, n.IntentAt, n.Sealed = 0, nil, time.Time{}, nil, time.Time{}, ""
		n.CoalescedWith, n.Alone = nil, e.Alone
	}
	if to.Final() {
		n.FinishedAt = e.At
	}
}

// mergeSteps keeps one result for each step, the latest, in the order of the walk.
func mergeSteps(old, add []Step) []Step {
	if len(add) == 0 {
		return old
	}
	out := slices.Clone(old)
	for _, s := range add {
		if i := slices.IndexFunc(out, func(o Step) bool { return o.Name == s.Name }); i >= 0 {
			out[i] = s
		} else {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Step) int { return slices.Index(walk, a.Name) - slices.Index(walk, b.Name) })
	return out
}
