package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/rs/zerolog"
)

// openPostgres connects to a database, which other processes may use as well.
func openPostgres(ctx context.Context, location string, log zerolog.Logger) (_ *database, err error) {
	config, err := pgxpool.ParseConfig(location)
	if err != nil {
		return nil, fmt.Errorf("ledger: the PostgreSQL URL cannot be read: %w", err) // pgx leaves out the password
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "resetd"
	}
	config.AfterConnect = prepareSession
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("ledger: open PostgreSQL: %w", err)
	}
	read := stdlib.OpenDBFromPool(pool)
	finish := func() error {
		err := read.Close()
		pool.Close()
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, finish())
		}
	}()
	if err := pool.Ping(ctx); err != nil {
		return nil, fmt.Errorf("ledger: PostgreSQL does not answer; check that it runs and that the URL is right: %w", err)
	}
	if err := migrate(ctx, kindPostgres, read); err != nil {
		return nil, err
	}
	if err := examine(ctx, pool, log); err != nil {
		return nil, err
	}
	if err := renumber(ctx, pool); err != nil {
		return nil, fmt.Errorf("ledger: prepare the accounts: %w", err)
	}
	return &database{store: newPostgresStore(pool), read: read, accounts: newRoster(postgresNews), contains: "strpos", shared: true, close: finish}, nil
}

// sessionSettings are those of every connection. A commit is on the disk before it is acknowledged, whatever the server's
// default is; what is stricter, such as remote_apply, stays. The rest keeps the planner to the plans that the indexes
// are made for, which is to read little, in order: it guesses otherwise for a table that it has not counted yet, and
// keeps a plan that it made for the empty table. Parallel workers and compiled expressions cost more than they bring to
// statements of a few milliseconds. The two time-outs free what a process holds that vanished without a word: its open
// transaction ends, and whoever waits for a row of it goes on with the others meanwhile.
const sessionSettings = `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
ELSE current_setting('synchronous_commit') END, false), set_config('enable_seqscan', 'off', false),
set_config('enable_bitmapscan', 'off', false), set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false),
set_config('idle_in_transaction_session_timeout', '5s', false), set_config('lock_timeout', '1s', false)`

// prepareSession runs on every new connection. It is a statement rather than a parameter of the connection, because
// poolers in between pass on few of those.
func prepareSession(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, sessionSettings)
	return err
}

// examine warns of a server that cannot keep what it acknowledges.
func examine(ctx context.Context, pool *pgxpool.Pool, log zerolog.Logger) error {
	var fsync string
	if err := pool.QueryRow(ctx, "SHOW fsync").Scan(&fsync); err != nil {
		return fmt.Errorf("ledger: read PostgreSQL's settings: %w", err)
	}
	if fsync == "off" {
		log.Warn().Msg("PostgreSQL runs with fsync=off: a power cut loses acknowledged requests; set fsync=on in postgresql.conf")
	}
	return nil
}

// postgresNews lists the accounts that were made by a transaction which the last snapshot did not see as ended. Sequences
// do not help here: of two transactions the later may well end first. The first column is what to ask with next time.
const postgresNews = `SELECT s.xmin, a.tx >= s.xmin, a.id, a.key
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s
LEFT JOIN accounts a ON a.tx >= $1`

// renumber makes what postgresNews asks true again in a database that was restored from a dump: there, the numbers of
// transactions begin anew, and those of the old server would stay new for ever.
func renumber(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "UPDATE accounts SET tx = pg_current_xact_id()::text::bigint WHERE tx > pg_current_xact_id()::text::bigint")
	return err
}
