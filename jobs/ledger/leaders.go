package ledger

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// leaderRow is the task that intended something under a subject last, as it was when the batch began.
type leaderRow struct {
	id, doc string // empty if the task is gone
	stored  bool   // there is a row for the subject
}

// Intend implements jobs.Ledger. decide runs in the writer's goroutine, with tasks that are its own.
func (l *Ledger) Intend(ctx context.Context, taskID string, s jobs.Subject,
	decide func(t schemas.Task, last *schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	var after schemas.Task
	o := newOperation(1)
	o.needs = func(n *needs) {
		n.tasks = append(n.tasks, taskID)
		n.subjects = append(n.subjects, s)
	}
	o.run = func(b *batch) (err error) {
		after, err = b.intend(taskID, s, decide)
		return err
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return schemas.Task{}, err
	}
	return after, nil
}

func (b *batch) intend(id string, s jobs.Subject, decide func(schemas.Task, *schemas.Task) ([]schemas.Event, error)) (schemas.Task, error) {
	last, err := b.leader(s, id)
	if err != nil {
		return schemas.Task{}, err
	}
	intends := false
	task, err := b.transition(id, func(t schemas.Task) ([]schemas.Event, error) {
		events, err := decide(t, last)
		intends = slices.ContainsFunc(events, func(e schemas.Event) bool { return e.Type == schemas.EventIntended })
		return events, err
	})
	if err == nil && intends {
		b.led[s] = b.found.tasks[id]
	}
	return task, err
}

// leader gives the task that leads a subject, as the operations so far have left it, unless it is the one given.
func (b *batch) leader(s jobs.Subject, self string) (*schemas.Task, error) {
	row := b.led[s]
	stored := b.found.leaders[s]
	if row == nil && stored != nil {
		row = b.found.tasks[stored.id]
	}
	switch {
	case row != nil && row.task.ID == self, row == nil && (stored == nil || stored.id == "" || stored.id == self):
		return nil, nil
	case row != nil:
		t := clone(row.task)
		return &t, nil
	}
	var t schemas.Task
	return &t, decode(stored.doc, &t)
}

// finishLeaders writes who leads now, in the order of the subjects: two replicas that insert the same ones in different
// orders would wait for each other in a circle.
func (b *batch) finishLeaders(c *changes) {
	for _, s := range slices.SortedFunc(maps.Keys(b.led), func(x, y jobs.Subject) int { return bytes.Compare(x[:], y[:]) }) {
		row := b.led[s]
		switch stored := b.found.leaders[s]; {
		case stored == nil:
			c.add(insertLeader, s[:], row.n)
		case stored.id != row.task.ID:
			c.add(updateLeader, s[:], row.n)
		}
	}
}

// Followed implements jobs.Ledger.
func (l *Ledger) Followed(ctx context.Context, after string, limit int) ([]string, error) {
	var ids []string
	above, below := jobs.FollowQueues()
	err := eachRow(ctx, l.read, selectFollowed, func(r scanner) error {
		var queue string
		err := r.Scan(&queue)
		if err == nil {
			ids = append(ids, queue[len(above):])
		}
		return err
	}, above+after, below, limit)
	if err != nil {
		return nil, l.unread("what others wait for", err)
	}
	return ids, nil
}

const selectFollowed = "SELECT w.queue FROM work w WHERE w.queue > $1 AND w.queue < $2 GROUP BY w.queue ORDER BY w.queue LIMIT $3"
