package ledger

import (
	"context"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// Renew implements jobs.Ledger. Whether a claim stands is read from the task or the callback, whose generation is the
// truth; the work row follows.
func (l *Ledger) Renew(ctx context.Context, claims []jobs.Work, until time.Time) ([]jobs.Work, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	var lost []jobs.Work
	o := newOperation(1)
	o.needs = func(n *needs) {
		for _, w := range claims {
			if w.Queue == jobs.CallbackQueue {
				n.callbacks = append(n.callbacks, w.ID)
			} else {
				n.tasks = append(n.tasks, w.TaskID)
			}
		}
	}
	o.run = func(b *batch) error {
		lost = nil
		for _, w := range claims {
			if !b.renew(w, settleTime(until)) {
				lost = append(lost, w)
			}
		}
		return nil
	}
	if err := l.writer.submit(ctx, l.writer.urgent, o); err != nil {
		return nil, err
	}
	return lost, nil
}

// renew moves one due time and tells whether the claim still stands.
func (b *batch) renew(w jobs.Work, until time.Time) bool {
	if w.Queue == jobs.CallbackQueue {
		row := b.found.callbacks[w.ID]
		if row == nil || held(&row.callback, w.Generation) != nil {
			return false
		}
		c := cloneCallback(row.callback)
		c.DueAt = until
		return b.changeCallback(row, c) == nil
	}
	row := b.found.tasks[w.TaskID]
	if row == nil {
		return false
	}
	n := row.task.Enforcement(w.ID)
	if n == nil || n.Generation != w.Generation || n.Status.Final() || n.Status == schemas.StatusPendingApproval {
		return false
	}
	b.work[n.ID] = workOf(w.TaskID, n, until)
	return true
}
