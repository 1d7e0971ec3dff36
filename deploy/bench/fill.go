package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the database/sql driver

	"github.com/resetd/resetd/schemas"
)

// The numbers of the statuses in a facet, as jobs/ledger stores them for good.
var facetStatus = map[schemas.Status]int64{schemas.StatusPendingApproval: 2, schemas.StatusSuccessful: 8,
	schemas.StatusPartiallySuccessful: 9, schemas.StatusUnsuccessful: 10, schemas.StatusRejected: 11, schemas.StatusCancelled: 12}

// target is a database that takes rows of one table after the other.
type target interface {
	insert(ctx context.Context, table string, columns []string, rows [][]any) error
	finish(ctx context.Context) error
}

// fill writes a history straight into the database: the same rows as resetd would write, without their events, which no
// search looks at. resetd itself has made the tables and is not running.
func (b *bench) fill(ctx context.Context, s *stage, postgres string) (err error) {
	if err := s.start(ctx, b.binary); err != nil {
		return err
	}
	if err := s.process.Stop(); err != nil {
		return err
	}
	var to target
	if postgres != "" {
		to, err = openPostgres(ctx, postgres)
	} else {
		to, err = openSQLite(ctx, s.site.DataDir())
	}
	if err != nil {
		return err
	}
	if err := pour(ctx, to, past{rows: b.rows, end: s.began}); err != nil {
		return errors.Join(err, to.finish(ctx))
	}
	return to.finish(ctx)
}

// pour makes the accounts first, then tasks, and a scope whenever one is new.
func pour(ctx context.Context, to target, p past) error {
	names := make([][]any, accounts)
	for i := range names {
		names[i] = []any{int64(i + 1), account(i)}
	}
	if err := to.insert(ctx, "accounts", []string{"id", "key"}, names); err != nil {
		return err
	}
	scopes, n := map[string]int64{}, int64(0)
	return p.all(ctx, func(rows []pastRow) error {
		var fresh, tasks [][]any
		for _, r := range rows {
			systems := strings.Join(r.systems, " ")
			scope, known := scopes[r.source+"\n"+systems]
			if !known {
				scope = int64(len(scopes) + 1)
				scopes[r.source+"\n"+systems] = scope
				fresh = append(fresh, []any{scope, r.source, systems})
			}
			n++
			tasks = append(tasks, []any{n, r.task.ID, r.idem(), r.idem(), int64(r.account + 1), scope<<4 | facetStatus[r.task.Status],
				r.task.CreatedAt.UnixMicro(), string(r.doc)})
		}
		if err := to.insert(ctx, "scopes", []string{"id", "source", "systems"}, fresh); err != nil {
			return err
		}
		return to.insert(ctx, "tasks", []string{"n", "id", "idem", "body_hash", "account", "facet", "created_at", "doc"}, tasks)
	})
}

// sqliteTarget is one connection that does not wait for the disk: if the machine stops, the run is lost anyway.
type sqliteTarget struct{ db *sql.DB }

func openSQLite(ctx context.Context, dir string) (target, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		return nil, errors.Join(fmt.Errorf("there are %d files *.db in the data folder, not one", len(files)), err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: files[0]}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, "PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; PRAGMA wal_autocheckpoint=50000")
	return sqliteTarget{db}, err
}

func (t sqliteTarget) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	marks := strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",")
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	statement, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ","), marks))
	for i := 0; err == nil && i < len(rows); i++ {
		_, err = statement.ExecContext(ctx, rows[i]...)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("fill %s: %w", table, err), tx.Rollback())
	}
	return tx.Commit()
}

func (t sqliteTarget) finish(ctx context.Context) error {
	_, err := t.db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, t.db.Close())
}

type postgresTarget struct{ conn *pgx.Conn }

func openPostgres(ctx context.Context, url string) (target, error) {
	conn, err := pgx.Connect(ctx, url)
	return postgresTarget{conn}, err
}

func (t postgresTarget) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	// COPY takes the given numbers also for identity columns (PostgreSQL manual, "COPY", notes).
	_, err := t.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

// finish does what autovacuum would have done over a year.
func (t postgresTarget) finish(ctx context.Context) error {
	_, err := t.conn.Exec(ctx, "VACUUM ANALYZE")
	return errors.Join(err, t.conn.Close(ctx))
}
