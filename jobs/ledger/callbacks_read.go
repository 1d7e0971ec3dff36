package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Callback implements jobs.Ledger. It gives schemas.ErrNotFound for an unknown id.
func (l *Ledger) Callback(ctx context.Context, id string) (schemas.Callback, error) {
	var doc string
	err := l.read.QueryRowContext(ctx, "SELECT doc FROM callbacks WHERE id = $1", id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return schemas.Callback{}, fmt.Errorf("ledger: callback %s: %w", id, schemas.ErrNotFound)
	}
	var c schemas.Callback
	if err == nil {
		err = decode(doc, &c)
	}
	if err != nil {
		return schemas.Callback{}, l.unread("a callback", err)
	}
	return c, nil
}

// Callbacks implements jobs.Ledger: newest first, each with its attempts. It gives schemas.ErrCursor for a cursor that is
// not from here. A state that does not exist, or a task that does not, has no callbacks.
func (l *Ledger) Callbacks(ctx context.Context, q schemas.CallbackQuery) (schemas.CallbackPage, error) {
	limit := pageSize(q.Limit)
	before, err := parseCursor(q.Cursor)
	if err != nil || q.State != "" && !slices.Contains(callbackStates, q.State) {
		return schemas.CallbackPage{}, err
	}
	query, args := callbackQuery(q, before, limit+1)
	var page schemas.CallbackPage
	var last cursor
	err = eachRow(ctx, l.read, query, func(r scanner) error {
		var doc string
		var at cursor
		if err := r.Scan(&at.at, &at.id, &doc); err != nil {
			return err
		}
		if len(page.Callbacks) == limit {
			page.Next = last.String()
			return nil
		}
		last = at
		var c schemas.Callback
		err := decode(doc, &c)
		page.Callbacks = append(page.Callbacks, c)
		return err
	}, args...)
	if err != nil {
		return schemas.CallbackPage{}, l.unread("callbacks", err)
	}
	return page, nil
}

var callbackStates = []schemas.CallbackState{schemas.CallbackPending, schemas.CallbackDelivered, schemas.CallbackDead}

// callbackQuery reads the newest of each state and merges them, because the index is by state; those of one task are
// few, and are sorted.
func callbackQuery(q schemas.CallbackQuery, before cursor, limit int) (string, []any) {
	const columns = "SELECT c.created_at, c.id, c.doc FROM callbacks c"
	const order = " ORDER BY 1 DESC, 2 DESC LIMIT "
	args := []any{before.at, before.id, limit}
	if q.TaskID != "" {
		where := " WHERE t.id = $4 AND (c.created_at, c.id) < ($1, $2)"
		args = append(args, q.TaskID)
		if q.State != "" {
			where += " AND c.state = $5"
			args = append(args, string(q.State))
		}
		return columns + " JOIN tasks t ON t.n = c.task" + where + order + "$3", args
	}
	states := callbackStates
	if q.State != "" {
		states = []schemas.CallbackState{q.State}
	}
	arms := make([]string, len(states))
	for i, s := range states {
		arms[i] = columns + " WHERE c.state = '" + string(s) + "' AND (c.created_at, c.id) < ($1, $2)"
	}
	return strings.Join(arms, " UNION ALL ") + order + "$3", args
}
