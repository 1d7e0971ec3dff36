package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

var _ jobs.Ledger = (*Ledger)(nil)

// Ledger is an open ledger. It implements jobs.Ledger; all of its methods are safe for concurrent use.
type Ledger struct {
	db     *database
	read   *sql.DB // db.read: connections that only read
	writer *writer
	hot    *recent[*taskRow]
	effort effort
	purged atomic.Int64 // the highest number of a task that was purged, as long as something may name such tasks

	metrics    *metrics
	registerer prometheus.Registerer
	closing    sync.Once
	closed     error
}

// hotTasks is how many tasks, at least, are at hand without asking the database: those that workers hold, and some more.
const hotTasks = 2048

// Open opens the ledger that the options name, brings its schema up to date, and starts its writer. Close ends it. Of
// two processes on one SQLite file the second gets an error that names the first; PostgreSQL is shared by any number.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	o = o.withDefaults()
	kind, err := o.kind()
	if err != nil {
		return nil, err
	}
	var db *database
	if kind == kindSQLite {
		db, err = openSQLite(ctx, o.Dir)
	} else {
		db, err = openPostgres(ctx, o.URL, o.Logger)
	}
	if err != nil {
		return nil, err
	}
	l := &Ledger{db: db, read: db.read, registerer: o.Registerer, metrics: newMetrics(), effort: usualEffort}
	if !db.shared {
		l.hot = newRecent[*taskRow](hotTasks)
	}
	l.writer = newWriter(db, l.hot, o, l.metrics)
	if err := l.metrics.register(o.Registerer, l.writer); err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: register the metrics: %w", err), l.Close())
	}
	return l, nil
}

// Close writes what was accepted and closes the database. Whatever comes later gets schemas.ErrOverloaded.
func (l *Ledger) Close() error {
	l.closing.Do(func() {
		l.writer.close()
		l.metrics.unregister(l.registerer)
		if err := errors.Join(l.db.store.close(), l.db.close()); err != nil {
			l.closed = fmt.Errorf("ledger: close: %w", err)
		}
	})
	return l.closed
}

// Ready gives nil when the ledger answers and, as far as is known, can write; otherwise an error that wraps
// schemas.ErrOverloaded and says why not. After a failed write it tries one.
func (l *Ledger) Ready(ctx context.Context) error {
	var one int
	if err := l.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ledger: %w: %w", schemas.ErrOverloaded, err)
	}
	return l.writer.probe(ctx)
}

// unread says what could not be read. Reading is as good as writing for the one who asks: it may be tried again.
func (l *Ledger) unread(what string, err error) error {
	if errors.Is(err, errDocument) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("ledger: read %s: %w", what, err)
	}
	return fmt.Errorf("ledger: read %s: %w: %w", what, schemas.ErrOverloaded, err)
}
