package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// How SQLite is set up. The checkpoint copies the log into the file every checkpointPages pages: a page that was
// written often in between is copied once. The busy time is for people who look into the file with other programs.
const (
	fileName        = "ledger.db"
	checkpointPages = 4000
	cacheKiB        = 16 << 10
	busyTime        = 2 * time.Second
	sqliteReaders   = 4
)

// database is an open database of either kind.
type database struct {
	store    store
	read     *sql.DB
	accounts *roster
	contains string // the SQL function that tells where a text begins in another, or 0
	shared   bool   // other processes may write too
	close    func() error
}

// sqliteNews lists the accounts that were made since the last time. The one writer numbers them in the order in which
// they become visible, so their number is all that is needed.
const sqliteNews = "SELECT a.id + 1, FALSE, a.id, a.key FROM accounts a WHERE a.id >= $1 ORDER BY a.id"

// private makes the file, if it is not there, for its owner alone; SQLite gives the files beside it the same mode. The
// directory may be one that somebody else made, and open to all.
func private(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: create the database: %w; let the user that resetd runs as write to the data directory", err)
	}
	return f.Close()
}

// openSQLite opens the file in a directory, which it creates and locks.
func openSQLite(ctx context.Context, dir string) (_ *database, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("ledger: create the data directory: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := localDisk(dir); err != nil {
		return nil, err
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	if err := private(filepath.Join(dir, fileName)); err != nil {
		return nil, errors.Join(err, unlock())
	}
	var dbs []*sql.DB
	finish := func() error {
		var errs []error
		for _, db := range dbs {
			errs = append(errs, db.Close())
		}
		return errors.Join(append(errs, unlock())...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, finish())
		}
	}()
	open := func(conns int, pragmas ...string) (*sql.DB, error) {
		db, err := sql.Open("sqlite", dsn(filepath.Join(dir, fileName), pragmas...))
		if err != nil {
			return nil, fmt.Errorf("ledger: open %s: %w", fileName, err)
		}
		dbs = append(dbs, db)
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		return db, nil
	}
	write, err := open(1, "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-"+strconv.Itoa(cacheKiB)+")",
		"wal_autocheckpoint("+strconv.Itoa(checkpointPages)+")", "journal_size_limit(67108864)", "foreign_keys(0)")
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, kindSQLite, write); err != nil {
		return nil, err
	}
	s, err := newSQLiteStore(ctx, write)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	read, err := open(sqliteReaders, "query_only(1)", "cache_size(-8192)")
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &database{store: s, read: read, accounts: newRoster(sqliteNews), contains: "instr", close: finish}, nil
}

// dsn names the file and what each connection to it sets up.
func dsn(path string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if path[0] != '/' { // a drive letter
		path = "/" + path
	}
	q := url.Values{"_pragma": append([]string{"busy_timeout(" + strconv.FormatInt(busyTime.Milliseconds(), 10) + ")"}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}
