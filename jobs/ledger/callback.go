package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// owe records that a callback is due at once: it tells the task's present status.
func (b *batch) owe(row *taskRow) error {
	t := row.task
	c := schemas.Callback{ID: schemas.CallbackID(t.ID, t.Version), TaskID: t.ID, Source: t.Source, URL: t.Callback.URL, Status: t.Status,
		Version: t.Version, State: schemas.CallbackPending, Generation: 1, CreatedAt: t.UpdatedAt, DueAt: t.UpdatedAt}
	doc, err := encode(c)
	if err != nil {
		return err
	}
	b.found.callbacks[c.ID] = &callbackRow{n: row.n, callback: c, doc: doc, fresh: true}
	b.callbacks = append(b.callbacks, b.found.callbacks[c.ID])
	b.callbackWork(c)
	return nil
}

// callbackWork derives the work row of a callback: one as long as it is pending.
func (b *batch) callbackWork(c schemas.Callback) {
	if c.State != schemas.CallbackPending {
		b.work[c.ID] = nil
		return
	}
	b.work[c.ID] = &jobs.Work{ID: c.ID, TaskID: c.TaskID, Queue: jobs.CallbackQueue, Generation: c.Generation, DueAt: c.DueAt}
}

// callback runs a change of one callback. The change may refuse with an error, and then changes nothing.
func (l *Ledger) callback(ctx context.Context, id string, change func(*schemas.Callback) error) (schemas.Callback, error) {
	var after schemas.Callback
	o := newOperation(1)
	o.needs = func(n *needs) { n.callbacks = append(n.callbacks, id) }
	o.run = func(b *batch) error {
		row := b.found.callbacks[id]
		if row == nil {
			return fmt.Errorf("ledger: callback %s: %w", id, schemas.ErrNotFound)
		}
		c := cloneCallback(row.callback)
		if err := change(&c); err != nil {
			return err
		}
		if err := b.changeCallback(row, c); err != nil {
			return err
		}
		after = cloneCallback(c)
		return nil
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return schemas.Callback{}, err
	}
	return after, nil
}

// changeCallback puts a changed callback in the place of the old one. An error, which a time that JSON cannot say is the
// only cause of, changes nothing.
func (b *batch) changeCallback(row *callbackRow, c schemas.Callback) error {
	doc, err := encode(c)
	if err != nil {
		return err
	}
	row.callback, row.doc = c, doc
	if !row.changed && !row.fresh {
		row.changed = true
		b.callbacks = append(b.callbacks, row)
	}
	b.callbackWork(c)
	return nil
}

// held gives an error unless a callback is pending in the generation given.
func held(c *schemas.Callback, generation int) error {
	if c.State == schemas.CallbackPending && c.Generation == generation {
		return nil
	}
	return fmt.Errorf("ledger: callback %s: %w: it is %s in generation %d, not pending in %d",
		c.ID, schemas.ErrState, c.State, c.Generation, generation)
}

// ClaimCallback implements jobs.Ledger; an unknown id is schemas.ErrNotFound.
func (l *Ledger) ClaimCallback(ctx context.Context, id string, generation int, until time.Time) (schemas.Callback, error) {
	return l.callback(ctx, id, func(c *schemas.Callback) error {
		if err := held(c, generation); err != nil {
			return err
		}
		c.Generation++
		c.DueAt = settleTime(until)
		return nil
	})
}

// RecordAttempt implements jobs.Ledger. Attempts counts since the schedule began; the numbers in the log go on.
func (l *Ledger) RecordAttempt(ctx context.Context, id string, generation int, a schemas.Attempt, next schemas.CallbackState, due time.Time) error {
	a.At = settleTime(a.At)
	_, err := l.callback(ctx, id, func(c *schemas.Callback) error {
		if err := held(c, generation); err != nil {
			return err
		}
		switch next {
		case schemas.CallbackPending:
			c.DueAt = settleTime(due)
		case schemas.CallbackDelivered, schemas.CallbackDead:
			c.DueAt = time.Time{}
		default:
			return fmt.Errorf("ledger: %q is no state of a callback", next)
		}
		c.Attempts++
		a.N = 1
		if len(c.Log) > 0 {
			a.N = c.Log[len(c.Log)-1].N + 1
		}
		c.Log = append(c.Log, a)
		c.Log = c.Log[max(0, len(c.Log)-maxLog):]
		c.State = next
		return nil
	})
	return err
}

// maxLog is how many attempts a callback remembers. One schedule has eleven; only a person who redelivers again and
// again reaches the limit, and then the oldest go.
const maxLog = 200

// Redeliver implements jobs.Ledger; an unknown id is schemas.ErrNotFound, and one that is pending already is
// schemas.ErrState. It raises the generation, so that nothing left over from the first schedule can act.
func (l *Ledger) Redeliver(ctx context.Context, id string, at time.Time) (schemas.Callback, error) {
	return l.callback(ctx, id, func(c *schemas.Callback) error {
		if c.State == schemas.CallbackPending {
			return fmt.Errorf("ledger: callback %s: %w: it is still pending", id, schemas.ErrState)
		}
		c.State, c.Attempts, c.DueAt = schemas.CallbackPending, 0, settleTime(at)
		c.Generation++
		return nil
	})
}
