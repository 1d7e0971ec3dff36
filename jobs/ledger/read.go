package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// queryer is a connection, a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// eachRow hands every row of a query to a function, until it gives an error.
func eachRow(ctx context.Context, q queryer, query string, scan func(scanner) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // the error of the iteration counts
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Task implements jobs.Ledger. It gives schemas.ErrNotFound for an unknown id.
func (l *Ledger) Task(ctx context.Context, id string) (schemas.Task, error) {
	if l.hot != nil {
		if row, ok := l.hot.get(id); ok {
			return clone(row.task), nil
		}
	}
	var doc string
	err := l.read.QueryRowContext(ctx, "SELECT doc FROM tasks WHERE id = $1", id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return schemas.Task{}, fmt.Errorf("ledger: task %s: %w", id, schemas.ErrNotFound)
	}
	var t schemas.Task
	if err == nil {
		err = decode(doc, &t)
	}
	if err != nil {
		return schemas.Task{}, l.unread("a task", err)
	}
	return t, nil
}

// Events implements jobs.Ledger: the whole history of a task, from the first event on. It gives schemas.ErrNotFound for
// an unknown id.
func (l *Ledger) Events(ctx context.Context, taskID string) ([]schemas.Event, error) {
	var events []schemas.Event
	err := eachRow(ctx, l.read, "SELECT e.doc FROM events e JOIN tasks t ON t.n = e.task WHERE t.id = $1 ORDER BY e.seq", func(r scanner) error {
		var doc string
		var e schemas.Event
		if err := r.Scan(&doc); err != nil {
			return err
		}
		err := decode(doc, &e)
		events = append(events, e)
		return err
	}, taskID)
	if err != nil {
		return nil, l.unread("the events of a task", err)
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("ledger: task %s: %w", taskID, schemas.ErrNotFound)
	}
	return events, nil
}

// Due implements jobs.Ledger. A generation above the first tells what was taken before; the index keeps it apart.
func (l *Ledger) Due(ctx context.Context, queue string, now time.Time, limit int) ([]jobs.Work, error) {
	var due []jobs.Work
	for fresh := range 2 {
		if len(due) == limit {
			break
		}
		err := eachRow(ctx, l.read, selectDue, func(r scanner) error {
			w := jobs.Work{Queue: queue}
			var at int64
			err := r.Scan(&w.ID, &w.TaskID, &w.Generation, &at)
			w.DueAt = fromMicros(at)
			due = append(due, w)
			return err
		}, queue, fresh, micros(now), limit-len(due))
		if err != nil {
			return nil, l.unread("what is due", err)
		}
	}
	return due, nil
}

const selectDue = `SELECT id, task_id, generation, due_at FROM work
WHERE queue = $1 AND CASE WHEN generation > 1 THEN 0 ELSE 1 END = $2 AND due_at <= $3 ORDER BY due_at, id LIMIT $4`

// Backlog implements jobs.Ledger.
func (l *Ledger) Backlog(ctx context.Context) (map[string]int, error) {
	backlog := map[string]int{}
	err := eachRow(ctx, l.read, "SELECT queue, count(*) FROM work GROUP BY queue", func(r scanner) error {
		var queue string
		var n int
		err := r.Scan(&queue, &n)
		backlog[queue] = n
		return err
	})
	if err != nil {
		return nil, l.unread("the backlog", err)
	}
	return backlog, nil
}

// numbers writes integers as a list for SQL.
func numbers(ids []int64, before, after string) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(before)
		b.WriteString(strconv.FormatInt(id, 10))
		b.WriteString(after)
	}
	return b.String()
}
