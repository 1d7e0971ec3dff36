package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Setting gives the value that PutSetting last stored under a key, and whether there is one.
func (l *Ledger) Setting(ctx context.Context, key string) (value string, ok bool, err error) {
	err = l.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = $1", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, l.unread("a setting", err)
	}
	return value, true, nil
}

// PutSetting stores a value under a key and returns once it is durable. Settings are for what an operator changes while
// resetd runs; secrets do not belong here.
func (l *Ledger) PutSetting(ctx context.Context, key, value string) error {
	if key == "" {
		return fmt.Errorf("ledger: a setting needs a key")
	}
	o := newOperation(1)
	o.run = func(b *batch) error {
		b.settings[key] = value
		return nil
	}
	return l.writer.submit(ctx, l.writer.urgent, o)
}
