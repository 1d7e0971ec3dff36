package ledger

import (
	"bytes"
	"context"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// purgeChunk is how many tasks one transaction deletes: few enough that nobody notices the wait.
const purgeChunk = 100

// Purge implements jobs.Ledger. It deletes in small transactions, between which others get their turn; an error tells
// that some may have been deleted. Accounts that no task names any more go as well.
func (l *Ledger) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	total := 0
	for total < limit {
		ids, err := l.purgeable(ctx, before, min(limit-total, purgeChunk))
		if err != nil {
			return total, err
		}
		if len(ids) == 0 {
			return total, l.purgeLeaders(ctx)
		}
		n, err := l.purge(ctx, ids)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}

// purgeLeaders deletes what names tasks that were purged, a part of the table at a time: the digests lie evenly in it. It
// is for the end of a purge of many.
func (l *Ledger) purgeLeaders(ctx context.Context) error {
	upTo := l.purged.Load()
	if upTo == 0 {
		return nil
	}
	for first := range 256 {
		from, below := []byte{byte(first)}, []byte{byte(first + 1)}
		if first == 255 {
			below = bytes.Repeat([]byte{255}, len(jobs.Subject{})+1) // above all digests
		}
		o := newOperation(1)
		o.run = func(b *batch) error {
			b.changes.add(purgeLeaders, from, below, upTo)
			return nil
		}
		if err := l.writer.submit(ctx, l.writer.alone, o); err != nil {
			return err
		}
	}
	l.purged.CompareAndSwap(upTo, 0)
	return nil
}

// purgeable lists what may be deleted, oldest first, as far as a reader can tell.
func (l *Ledger) purgeable(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	err = eachRow(ctx, l.read, selectPurgeable, func(r scanner) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, microsUp(before), firstFinal, string(schemas.CallbackPending), limit)
	if err != nil {
		return nil, l.unread("what may be deleted", err)
	}
	return ids, nil
}

const selectPurgeable = `SELECT t.id FROM tasks t WHERE t.created_at < $1 AND (t.facet & 15) >= $2
AND NOT EXISTS (SELECT 1 FROM callbacks c WHERE c.task = t.n AND c.state = $3) ORDER BY t.created_at, t.n LIMIT $4`

// purge deletes those tasks that are still final and owe nothing, now that they are locked. It has a transaction of its
// own, so that no new task can name an account that it deletes.
func (l *Ledger) purge(ctx context.Context, ids []string) (int, error) {
	n, last := 0, int64(0)
	o := newOperation(1)
	o.needs = func(need *needs) {
		need.tasks = append(need.tasks, ids...)
		need.owing = append(need.owing, ids...)
	}
	o.run = func(b *batch) error {
		n, last = 0, 0
		for _, id := range ids {
			row := b.found.tasks[id]
			if row == nil || !row.task.Status.Final() || b.found.owing[row.n] {
				continue
			}
			b.purge(row)
			last = max(last, row.n)
			n++
		}
		return nil
	}
	if err := l.writer.submit(ctx, l.writer.alone, o); err != nil {
		return 0, err
	}
	l.purged.Store(max(last, l.purged.Load()))
	return n, nil
}

func (b *batch) purge(row *taskRow) {
	b.changes.add(purgeEvents, row.n)
	b.changes.add(purgeCallbacks, row.n)
	b.changes.add(purgeBodies, row.n)
	b.changes.add(purgeTask, row.n)
	if !b.orphans[row.account] {
		b.orphans[row.account] = true
		b.changes.add(purgeAccount, row.account)
	}
	b.purged = append(b.purged, row)
}
