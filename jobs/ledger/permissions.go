package ledger

import (
	"context"
	"errors"

	"github.com/resetd/resetd/schemas"
)

const (
	selectPermissions = "SELECT p.system, p.at, p.actor, p.decision, p.before, p.after, p.reason FROM permissions p"
	latestOnly        = " WHERE p.n = (SELECT max(q.n) FROM permissions q WHERE q.system = p.system)"
	ofSystem          = " WHERE p.system = $1 ORDER BY p.n DESC LIMIT $2"
)

// RecordPermission adds a line to the history of a system's permission and returns once it is durable. From then on it is
// what Permissions gives for the system. schemas.ErrOverloaded means that it was not promised; it may yet come to be.
func (l *Ledger) RecordPermission(ctx context.Context, c schemas.PermissionChange) error {
	if c.System == "" || c.Actor == "" || c.At.IsZero() || c.Decision == "" {
		return errors.New("ledger: a change of a permission needs a system, a time, an actor and a decision")
	}
	o := newOperation(1)
	o.run = func(b *batch) error {
		b.changes.add(insertPermission, c.System, micros(c.At), c.Actor, string(c.Decision), string(c.From), string(c.To), c.Reason)
		return nil
	}
	return l.writer.submit(ctx, l.writer.urgent, o)
}

// Permissions gives the latest change of each system's permission, by the system's name. Systems without one are not in it.
func (l *Ledger) Permissions(ctx context.Context) (map[string]schemas.PermissionChange, error) {
	latest := map[string]schemas.PermissionChange{}
	err := l.permissions(ctx, func(c schemas.PermissionChange) { latest[c.System] = c }, selectPermissions+latestOnly)
	return latest, err
}

// PermissionHistory gives up to limit changes of one system's permission, newest first.
func (l *Ledger) PermissionHistory(ctx context.Context, system string, limit int) ([]schemas.PermissionChange, error) {
	var all []schemas.PermissionChange
	err := l.permissions(ctx, func(c schemas.PermissionChange) { all = append(all, c) }, selectPermissions+ofSystem, system, limit)
	return all, err
}

func (l *Ledger) permissions(ctx context.Context, take func(schemas.PermissionChange), query string, args ...any) error {
	err := eachRow(ctx, l.read, query, func(r scanner) error {
		var c schemas.PermissionChange
		var at int64
		if err := r.Scan(&c.System, &at, &c.Actor, &c.Decision, &c.From, &c.To, &c.Reason); err != nil {
			return err
		}
		c.At = fromMicros(at)
		take(c)
		return nil
	}, args...)
	if err != nil {
		return l.unread("the permissions", err)
	}
	return nil
}
