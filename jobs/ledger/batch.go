package ledger

import (
	"context"
	"fmt"

	"github.com/resetd/resetd/jobs"
)

// batch is one transaction in the making: what was found, as the operations so far have changed it.
type batch struct {
	ctx   context.Context
	store store
	found *found

	changes   changes // what operations write as they go: events, and what a purge deletes
	changed   []*taskRow
	fresh     []*taskRow
	callbacks []*callbackRow        // changed or fresh
	work      map[string]*jobs.Work // by id; nil deletes
	settings  map[string]string
	led       map[jobs.Subject]*taskRow // by whom subjects are led since this batch
	seen      map[digest]*bodyRow       // bodies that came in this batch
	purged    []*taskRow
	orphans   map[int64]bool // accounts that may have lost their last task
}

func newBatch(ctx context.Context, s store, f *found) *batch {
	return &batch{ctx: ctx, store: s, found: f, work: map[string]*jobs.Work{}, settings: map[string]string{},
		led: map[jobs.Subject]*taskRow{}, seen: map[digest]*bodyRow{}, orphans: map[int64]bool{}}
}

// task gives a task that turned out to be concerned only now: that of a replay.
func (b *batch) task(id string) (*taskRow, error) {
	if row := b.found.tasks[id]; row != nil {
		return row, nil
	}
	rows, err := b.store.tasks(b.ctx, []string{id})
	if err != nil {
		return nil, &brokenError{err}
	}
	row := rows[id]
	if row == nil {
		return nil, &brokenError{fmt.Errorf("ledger: task %s is gone in the middle of a transaction", id)}
	}
	b.found.tasks[id] = row
	return row, nil
}

// brokenError ends the whole batch, not only the operation that met it.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return e.cause.Error() }
func (e *brokenError) Unwrap() error { return e.cause }

// change notes that a task must be written again.
func (b *batch) change(row *taskRow) {
	if !row.changed {
		row.changed = true
		b.changed = append(b.changed, row)
	}
}

// finish gives everything that the transaction writes: each row once, however many operations changed it.
func (b *batch) finish(now int64) (*changes, error) {
	c := &b.changes
	for _, row := range b.fresh {
		it := row.fresh
		if row.changed { // created and moved on in the same batch: the prepared document is of the past
			doc, err := encode(row.task)
			if err != nil {
				return nil, err
			}
			row.doc = doc
		}
		row.facet = facet(row.scope, row.task.Status)
		c.add(insertTask, row.n, row.task.ID, it.key[:], it.bodyHash[:], row.account, row.facet, micros(row.task.CreatedAt), row.doc)
	}
	for _, row := range b.changed {
		if row.fresh != nil {
			continue
		}
		doc, err := encode(row.task)
		if err != nil {
			return nil, err
		}
		// An unchanged facet is left alone: the indexes that hold it need no touch then.
		if f := facet(row.scope, row.task.Status); f != row.facet {
			row.facet = f
			c.add(updateTask, row.n, f, doc)
		} else {
			c.add(updateDoc, row.n, doc)
		}
	}
	for id, w := range b.work {
		if w == nil {
			c.add(deleteWork, id)
		} else {
			c.add(upsertWork, w.ID, w.TaskID, w.Queue, int64(w.Generation), micros(w.DueAt))
		}
	}
	for _, row := range b.callbacks {
		cb := row.callback
		if row.fresh {
			c.add(insertCallback, cb.ID, row.n, string(cb.State), micros(cb.CreatedAt), row.doc)
		} else {
			c.add(updateCallback, cb.ID, string(cb.State), row.doc)
		}
	}
	b.finishLeaders(c)
	b.finishBodies(c)
	for key, value := range b.settings {
		c.add(putSetting, key, value, now)
	}
	return c, nil
}
