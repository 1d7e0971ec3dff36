package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// Transition implements jobs.Ledger. decide runs in the writer's goroutine, with a task that is its own.
func (l *Ledger) Transition(ctx context.Context, taskID string, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	var after schemas.Task
	o := newOperation(1)
	o.needs = func(n *needs) { n.tasks = append(n.tasks, taskID) }
	o.run = func(b *batch) (err error) {
		after, err = b.transition(taskID, decide)
		return err
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return schemas.Task{}, err
	}
	return after, nil
}

// TransitionDue implements jobs.Ledger.
func (l *Ledger) TransitionDue(ctx context.Context, w jobs.Work, now time.Time, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	var after schemas.Task
	o := newOperation(1)
	o.needs = func(n *needs) {
		n.tasks = append(n.tasks, w.TaskID)
		n.work = append(n.work, w.ID)
	}
	o.run = func(b *batch) (err error) {
		if !b.isDue(w, now) {
			return fmt.Errorf("ledger: work %s: %w: it is not due in generation %d", w.ID, schemas.ErrState, w.Generation)
		}
		after, err = b.transition(w.TaskID, decide)
		return err
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return schemas.Task{}, err
	}
	return after, nil
}

// Route implements jobs.Ledger: a transition after which the task acts on one system more.
func (l *Ledger) Route(ctx context.Context, t schemas.Task, system string, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	var after schemas.Task
	o := newOperation(1)
	o.needs = func(n *needs) {
		n.tasks = append(n.tasks, t.ID)
		systems := systemsOf(t)
		if !slices.Contains(systems, system) {
			systems = append(systems, system)
		}
		n.scopes = append(n.scopes, newScope(t.Source, systems))
	}
	o.run = func(b *batch) (err error) {
		after, err = b.transition(t.ID, decide)
		return err
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return schemas.Task{}, err
	}
	return after, nil
}

// systemsOf lists the systems that a task acts on.
func systemsOf(t schemas.Task) []string {
	out := make([]string, len(t.Enforcements))
	for i, n := range t.Enforcements {
		out[i] = n.System
	}
	return out
}

// isDue tells whether work is there as given and due, as the operations so far have left it.
func (b *batch) isDue(w jobs.Work, now time.Time) bool {
	row, touched := b.work[w.ID]
	if !touched {
		row = b.found.work[w.ID]
	}
	return row != nil && row.Generation == w.Generation && !row.DueAt.After(now)
}

// transition folds what decide gives into the task. It changes nothing before all of it is known to be right.
func (b *batch) transition(id string, decide func(schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	row := b.found.tasks[id]
	if row == nil {
		return schemas.Task{}, fmt.Errorf("ledger: task %s: %w", id, schemas.ErrNotFound)
	}
	events, err := guarded(decide, clone(row.task))
	if err != nil || len(events) == 0 {
		return clone(row.task), err
	}
	before, task, scope := row.task, row.task, row.scope
	docs := make([]string, len(events))
	due := make([]time.Time, len(task.Enforcements))
	for i, e := range events {
		e = settle(e)
		e.Seq = task.Version + 1
		moved(task, e, due)
		was := task
		if task, err = task.Apply(e); err != nil {
			return clone(before), fmt.Errorf("ledger: %w", err)
		}
		due = released(was, task, e, due)
		if docs[i], err = encode(e); err != nil {
			return clone(before), err
		}
	}
	if len(task.Enforcements) > len(before.Enforcements) {
		if scope = b.found.scopes[newScope(task.Source, systemsOf(task))]; scope == 0 {
			return clone(before), fmt.Errorf("ledger: task %s: %w: it is routed to a system that was not announced by Route, or acts on others by now", id, schemas.ErrState)
		}
	}
	for i, doc := range docs {
		b.changes.add(insertEvent, row.n, int64(before.Version+1+i), doc)
	}
	row.task, row.scope = task, scope
	b.change(row)
	b.follow(row, before, due)
	return clone(task), nil
}

// moved notes for each enforcement that an event moves when it is due.
func moved(t schemas.Task, e schemas.Event, due []time.Time) {
	at := e.DueAt
	if at.IsZero() {
		at = e.At
	}
	for i, n := range t.Enforcements {
		if _, ok := schemas.Next(n.Status, e.Type); ok && (e.System == "" || e.System == n.System) {
			due[i] = at
		}
	}
}

// released notes what an event sets free beside the enforcements that it moves: one that is new, and those that waited for
// another to end. They are due at once. So is one that is begun anew with another name.
func released(before, after schemas.Task, e schemas.Event, due []time.Time) []time.Time {
	for i, n := range after.Enforcements {
		switch {
		case i == len(due):
			due = append(due, e.At)
		case e.Type == schemas.EventRouted && n.System == e.System:
			due[i] = e.At
		case before.Enforcements[i].WaitsFor != "" && n.WaitsFor == "" && n.Status == schemas.StatusQueued:
			due[i] = e.At
		}
	}
	return due
}

// guarded keeps a panic of a caller's function from ending the one goroutine that everybody depends on.
func guarded(decide func(schemas.Task) ([]schemas.Event, error), t schemas.Task) (events []schemas.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ledger: the decision on task %s panicked: %v", t.ID, p)
		}
	}()
	return decide(t)
}

// workOf gives the work of an enforcement that is not final. One that waits for another task's stands in the queue of that.
func workOf(task string, n *schemas.Enforcement, due time.Time) *jobs.Work {
	queue := jobs.QueueOf(n.System)
	if n.Follows() {
		queue = jobs.FollowQueue(n.CoalescedWith.EnforcementID)
	}
	return &jobs.Work{ID: n.ID, TaskID: task, Queue: queue, Generation: n.Generation, DueAt: due}
}

// follow derives what follows from a step: the work of every enforcement that has a due time, which is nothing once it is
// final and while it waits for a person; and the callback, if the caller wants to hear of the step.
func (b *batch) follow(row *taskRow, before schemas.Task, due []time.Time) {
	for i := range row.task.Enforcements {
		n := &row.task.Enforcements[i]
		switch {
		case due[i].IsZero():
		case n.Status.Final(), n.Status == schemas.StatusPendingApproval:
			b.work[n.ID] = nil
		default:
			b.work[n.ID] = workOf(row.task.ID, n, due[i])
		}
	}
	if schemas.CallbackDue(before, row.task) {
		b.owe(row)
	}
}
