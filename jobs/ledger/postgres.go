package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	// Every statement here has an index. PostgreSQL does not believe it of a table that it has not counted yet, and keeps
	// the plan that it made for the empty table: reading all rows, each time, until it counts them.
	config.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	config.AfterConnect = durable
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
	return &database{store: newPostgresStore(pool), read: read, find: postgresFinder{}, shared: true, close: finish}, nil
}

// durable makes sure that a commit is on the disk before it is acknowledged, whatever the server's default is. Settings
// that are stricter, such as remote_apply, stay.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

// examine warns of a server that cannot keep what it acknowledges, and sees to the index for the search by substring.
func examine(ctx context.Context, pool *pgxpool.Pool, log zerolog.Logger) error {
	var fsync string
	if err := pool.QueryRow(ctx, "SHOW fsync").Scan(&fsync); err != nil {
		return fmt.Errorf("ledger: read PostgreSQL's settings: %w", err)
	}
	if fsync == "off" {
		log.Warn().Msg("PostgreSQL runs with fsync=off: a power cut loses acknowledged requests; set fsync=on in postgresql.conf")
	}
	if err := trigrams(ctx, pool); err != nil {
		log.Warn().Err(err).Msg("PostgreSQL's extension pg_trgm is not there and could not be made: the search by account reads all account names; " +
			"ask an administrator for CREATE EXTENSION pg_trgm in this database and restart")
	}
	return nil
}

// trigrams makes the index of the account keys by groups of three letters. One replica at a time does it. The index is
// on an expression because on the column it would also offer itself for equality, at which it is a thousand times slower.
func trigrams(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, text := range []string{
			"SELECT pg_advisory_xact_lock(hashtext('resetd ledger trigrams'))",
			"CREATE EXTENSION IF NOT EXISTS pg_trgm",
			"CREATE INDEX IF NOT EXISTS accounts_trigrams ON accounts USING gin ((key || '') gin_trgm_ops)",
		} {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// postgresFinder finds accounts by the index of trigrams, or by reading all keys where there is none.
type postgresFinder struct{}

// likeWildcards are quoted, because the part is meant letter by letter.
var likeWildcards = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (postgresFinder) find(ctx context.Context, q queryer, part string, limit int) (found []int64, err error) {
	err = eachRow(ctx, q, "SELECT id FROM accounts WHERE key || '' LIKE $1 LIMIT $2", func(r scanner) error {
		var id int64
		err := r.Scan(&id)
		found = append(found, id)
		return err
	}, "%"+likeWildcards.Replace(part)+"%", limit+1)
	return found, err
}

func (postgresFinder) contains(arg string) string {
	return "strpos((SELECT a.key FROM accounts a WHERE a.id = t.account), " + arg + ") > 0"
}

func (postgresFinder) forget() {}
