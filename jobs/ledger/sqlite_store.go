package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteStore writes to a SQLite file that no other process writes to; the lock file sees to that. So it can give out
// numbers by itself, and what it remembers is true.
//
// Statements are prepared once, and each writes one row: a statement of many rows would make SQLite keep a journal for
// it alone, which costs more than it saves.
type sqliteStore struct {
	conn     *sql.Conn
	begins   *sql.Stmt
	commits  *sql.Stmt
	task     *sql.Stmt
	work     *sql.Stmt
	key      *sql.Stmt
	callback *sql.Stmt
	leader   *sql.Stmt
	body     *sql.Stmt
	account  *sql.Stmt
	write    [statementCount]*sql.Stmt
	prepared []*sql.Stmt // all of them

	accounts *recent[int64]  // by key
	scopes   map[scope]int64 // all of them
	last     struct{ task, account, scope int64 }
	open     bool
	making   struct { // made in the open transaction
		accounts map[string]int64
		scopes   map[scope]int64
	}
}

// rememberedAccounts is how many accounts, at least, are found without asking the database.
const rememberedAccounts = 16384

// newSQLiteStore prepares the writer's connection. The connection stays the store's own.
func newSQLiteStore(ctx context.Context, db *sql.DB) (_ *sqliteStore, err error) {
	s := &sqliteStore{accounts: newRecent[int64](rememberedAccounts), scopes: map[scope]int64{}}
	if s.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	prepare := func(into **sql.Stmt, text string) {
		if err != nil {
			return
		}
		if *into, err = s.conn.PrepareContext(ctx, text); err == nil {
			s.prepared = append(s.prepared, *into)
		}
	}
	prepare(&s.begins, "BEGIN IMMEDIATE")
	prepare(&s.commits, "COMMIT")
	prepare(&s.task, selectTask+" WHERE t.id = $1")
	prepare(&s.work, selectWork+" WHERE w.id = $1")
	prepare(&s.key, selectKey+" WHERE t.idem = $1")
	prepare(&s.callback, selectCallback+" WHERE c.id = $1")
	prepare(&s.leader, selectLeader+" WHERE l.subject = $1")
	prepare(&s.body, selectBody+" WHERE b.digest = $1")
	prepare(&s.account, "SELECT id FROM accounts WHERE key = $1")
	for i := range s.write {
		prepare(&s.write[i], statements[i].row())
	}
	if err == nil {
		err = s.recall(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// recall reads the highest numbers given out, and the scopes.
func (s *sqliteStore) recall(ctx context.Context) error {
	err := s.conn.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(n), 0) FROM tasks), (SELECT coalesce(max(id), 0) FROM accounts),
(SELECT coalesce(max(id), 0) FROM scopes)`).Scan(&s.last.task, &s.last.account, &s.last.scope)
	if err != nil {
		return err
	}
	return eachRow(ctx, s.conn, "SELECT id, source, systems FROM scopes", func(r scanner) error {
		var id int64
		var sc scope
		err := r.Scan(&id, &sc.source, &sc.systems)
		s.scopes[sc] = id
		return err
	})
}

// begin ignores the context: a statement that watches one costs a goroutine, and nothing here waits for others.
func (s *sqliteStore) begin(_ context.Context, n *needs) (*found, error) {
	ctx := context.Background()
	if _, err := s.begins.ExecContext(ctx); err != nil {
		return nil, err
	}
	s.open = true
	s.making.accounts, s.making.scopes = nil, nil
	f := newFound()
	f.number = func() int64 { s.last.task++; return s.last.task }
	for _, id := range n.tasks {
		if err := one(ctx, s.task, id, f.scanTask); err != nil {
			return nil, err
		}
	}
	for _, id := range n.work {
		if err := one(ctx, s.work, id, f.scanWork); err != nil {
			return nil, err
		}
	}
	for _, k := range n.keys {
		if err := one(ctx, s.key, k[:], f.scanKey); err != nil {
			return nil, err
		}
	}
	for _, k := range n.bodies {
		if err := one(ctx, s.body, k[:], f.scanBody); err != nil {
			return nil, err
		}
	}
	for _, k := range n.subjects {
		if err := one(ctx, s.leader, k[:], f.scanLeader); err != nil {
			return nil, err
		}
	}
	for _, id := range n.callbacks {
		if err := one(ctx, s.callback, id, f.scanCallback); err != nil {
			return nil, err
		}
	}
	for _, id := range n.owing {
		if err := eachRow(ctx, s.conn, selectOwing+" WHERE t.id = $1", f.scanOwing, id); err != nil {
			return nil, err
		}
	}
	return f, s.dictionaries(ctx, n, f)
}

// dictionaries numbers the accounts and scopes; new ones become rows with the commit.
func (s *sqliteStore) dictionaries(ctx context.Context, n *needs, f *found) error {
	for _, key := range n.accounts {
		if f.accounts[key] != 0 {
			continue
		}
		// Most accounts recur soon or never: those at hand need no question, all others need one.
		id, ok := s.accounts.get(key)
		if !ok {
			err := s.account.QueryRowContext(ctx, key).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				s.last.account++
				id = s.last.account
				if s.making.accounts == nil {
					s.making.accounts = map[string]int64{}
				}
				s.making.accounts[key] = id
			} else if err != nil {
				return err
			} else {
				s.accounts.put(key, id)
			}
		}
		f.accounts[key] = id
	}
	for _, sc := range n.scopes {
		if f.scopes[sc] != 0 {
			continue
		}
		id := s.scopes[sc]
		if id == 0 {
			s.last.scope++
			id = s.last.scope
			if s.making.scopes == nil {
				s.making.scopes = map[scope]int64{}
			}
			s.making.scopes[sc] = id
		}
		f.scopes[sc] = id
	}
	return nil
}

// tasks is asked for replays only, and may therefore go without the memory of hot tasks.
func (s *sqliteStore) tasks(ctx context.Context, ids []string) (map[string]*taskRow, error) {
	f := newFound()
	for _, id := range ids {
		if err := one(context.WithoutCancel(ctx), s.task, id, f.scanTask); err != nil {
			return nil, err
		}
	}
	return f.tasks, nil
}

// keys is asked for replays of deliveries that carry no key.
func (s *sqliteStore) keys(ctx context.Context, keys []idem) (map[idem]delivered, error) {
	f := newFound()
	for _, k := range keys {
		if err := one(context.WithoutCancel(ctx), s.key, k[:], f.scanKey); err != nil {
			return nil, err
		}
	}
	return f.delivered, nil
}

func (s *sqliteStore) commit(_ context.Context, c *changes) error {
	ctx := context.Background()
	if len(c[insertTask]) > 0 { // otherwise all creates were replays, and nobody needs what was made for them
		for key, id := range s.making.accounts {
			c.add(insertAccount, id, key)
		}
	}
	routed := len(c[insertTask])+len(c[updateTask]) > 0 // a task may act on one system more than before
	if routed {
		for sc, id := range s.making.scopes {
			c.add(insertScope, id, sc.source, sc.systems)
		}
	}
	// The order is that of the statements, which puts what others refer to first.
	for i, args := range c {
		for width := len(statements[i].columns); len(args) > 0; args = args[width:] {
			if _, err := s.write[i].ExecContext(ctx, args[:width]...); err != nil {
				return fmt.Errorf("write to %s: %w", statements[i].table, err)
			}
		}
	}
	if _, err := s.commits.ExecContext(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.open = false
	// What was made is remembered only now: a transaction that failed has made nothing.
	if len(c[insertTask]) > 0 {
		for key, id := range s.making.accounts {
			s.accounts.put(key, id)
		}
	}
	if routed {
		maps.Copy(s.scopes, s.making.scopes)
	}
	if len(c[purgeAccount]) > 0 {
		s.accounts.clear()
	}
	return nil
}

// rollback needs no answer: SQLite may have rolled back by itself, for instance when the disk was full.
func (s *sqliteStore) rollback() {
	if s.open {
		_, _ = s.conn.ExecContext(context.Background(), "ROLLBACK")
		s.open = false
	}
}

// fault blames an operation only for what is plainly about its data. A full disk, a lock that somebody else holds, an
// error of the device: all of these may pass, and hit everybody alike.
func (s *sqliteStore) fault(err error) fault {
	var e *sqlite.Error
	switch {
	case errors.Is(err, errDocument):
		return faultRefused
	case !errors.As(err, &e):
		return faultDown
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return faultRefused
	}
	return faultDown
}

// close closes the statements too: SQLite keeps the file open as long as there is one.
func (s *sqliteStore) close() error {
	var errs []error
	for _, p := range s.prepared {
		errs = append(errs, p.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

// one scans the row that a statement gives for an argument, if there is one.
func one(ctx context.Context, s *sql.Stmt, arg any, scan func(scanner) error) error {
	err := scan(s.QueryRowContext(ctx, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
