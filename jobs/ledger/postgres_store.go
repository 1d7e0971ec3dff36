package ledger

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresStore writes to a PostgreSQL database that other processes may write to as well: it locks the tasks and
// callbacks of a batch, in the order of their ids, before it reads them. A batch takes two round trips.
type postgresStore struct {
	pool *pgxpool.Pool
	conn *pgxpool.Conn // of the open transaction

	accounts *recent[int64] // by key; one that another process has deleted is noticed by the foreign key
	scopes   map[scope]int64
	read     struct { // in the open transaction; to be kept once it is committed
		accounts map[string]int64
		scopes   map[scope]int64
	}
}

func newPostgresStore(pool *pgxpool.Pool) *postgresStore {
	return &postgresStore{pool: pool, accounts: newRecent[int64](rememberedAccounts), scopes: map[scope]int64{}}
}

// begin sends everything that the batch needs to know in one go. Tasks come before leaders and these before callbacks, in
// every process, and each by their ids: locks that are taken in one order cannot wait for each other in a circle.
func (s *postgresStore) begin(ctx context.Context, n *needs) (_ *found, err error) {
	if s.conn, err = s.pool.Acquire(ctx); err != nil {
		return nil, err
	}
	f := newFound()
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	if len(n.tasks) > 0 {
		b.Queue(selectTask+" WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE", n.tasks).Query(each(f.scanTask))
	}
	if len(n.work) > 0 { // after its tasks are locked, without which nobody changes it
		b.Queue(selectWork+" WHERE w.id = ANY($1)", n.work).Query(each(f.scanWork))
	}
	if len(n.subjects) > 0 { // what they lead to is read once they are locked, and may have been changed until then
		subjects := raw(n.subjects)
		b.Queue("SELECT l.subject FROM leaders l WHERE l.subject = ANY($1) ORDER BY l.subject FOR UPDATE", subjects)
		b.Queue(selectLeader+" WHERE l.subject = ANY($1)", subjects).Query(each(f.scanLeader))
	}
	if len(n.bodies) > 0 {
		b.Queue(selectBody+" WHERE b.digest = ANY($1) ORDER BY b.digest FOR UPDATE", raw(n.bodies)).Query(each(f.scanBody))
	}
	if len(n.callbacks) > 0 {
		b.Queue(selectCallback+" WHERE c.id = ANY($1) ORDER BY c.id FOR UPDATE", n.callbacks).Query(each(f.scanCallback))
	}
	if len(n.owing) > 0 {
		b.Queue(selectOwing+" WHERE t.id = ANY($1) ORDER BY c.id FOR UPDATE OF c", n.owing).Query(each(f.scanOwing))
	}
	if len(n.accounts)+len(n.scopes) > 0 {
		s.dictionaries(b, n, f)
	}
	if len(n.keys) > 0 {
		b.Queue(selectKey+" WHERE t.idem = ANY($1)", raw(n.keys)).Query(each(f.scanKey))
		given := make([]int64, 0, n.numbers)
		b.Queue("SELECT nextval('task_numbers') FROM generate_series(1, $1)", n.numbers).Query(each(func(r scanner) error {
			var id int64
			err := r.Scan(&id)
			given = append(given, id)
			return err
		}))
		f.number = func() int64 { id := given[0]; given = given[1:]; return id }
	}
	if err := s.conn.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	return f, nil
}

// dictionaries numbers the accounts and scopes. What is not remembered is added, which does nothing if another process
// has done so, and then read: in this order both processes come to the same number.
func (s *postgresStore) dictionaries(b *pgx.Batch, n *needs, f *found) {
	s.read.accounts, s.read.scopes = map[string]int64{}, map[scope]int64{}
	for _, key := range n.accounts {
		if id, ok := s.accounts.get(key); ok {
			f.accounts[key] = id
		} else {
			s.read.accounts[key] = 0
		}
	}
	if len(s.read.accounts) > 0 {
		keys := slices.Sorted(maps.Keys(s.read.accounts)) // sorted, so that two processes do not wait for each other in a circle
		b.Queue("INSERT INTO accounts (key) SELECT unnest($1::text[]) ON CONFLICT (key) DO NOTHING", keys)
		b.Queue("SELECT id, key FROM accounts WHERE key = ANY($1)", keys).Query(each(func(r scanner) error {
			var id int64
			var key string
			err := r.Scan(&id, &key)
			f.accounts[key], s.read.accounts[key] = id, id
			return err
		}))
	}
	for _, sc := range n.scopes {
		if id := s.scopes[sc]; id != 0 {
			f.scopes[sc] = id
		} else {
			s.read.scopes[sc] = 0
		}
	}
	if len(s.read.scopes) == 0 {
		return
	}
	var sources, systems []string
	for _, sc := range slices.SortedFunc(maps.Keys(s.read.scopes), compareScopes) {
		sources, systems = append(sources, sc.source), append(systems, sc.systems)
	}
	b.Queue("INSERT INTO scopes (source, systems) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (source, systems) DO NOTHING", sources, systems)
	b.Queue("SELECT id, source, systems FROM scopes WHERE (source, systems) IN (SELECT * FROM unnest($1::text[], $2::text[]))", sources, systems).
		Query(each(func(r scanner) error {
			var id int64
			var sc scope
			err := r.Scan(&id, &sc.source, &sc.systems)
			f.scopes[sc], s.read.scopes[sc] = id, id
			return err
		}))
}

func compareScopes(a, b scope) int {
	if c := strings.Compare(a.source, b.source); c != 0 {
		return c
	}
	return strings.Compare(a.systems, b.systems)
}

// tasks is one more round trip, for replays only.
func (s *postgresStore) tasks(ctx context.Context, ids []string) (map[string]*taskRow, error) {
	f := newFound()
	rows, err := s.conn.Query(ctx, selectTask+" WHERE t.id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	return f.tasks, each(f.scanTask)(rows)
}

// keys is one more round trip, for replays of deliveries that carry no key only.
func (s *postgresStore) keys(ctx context.Context, keys []idem) (map[idem]delivered, error) {
	f := newFound()
	rows, err := s.conn.Query(ctx, selectKey+" WHERE t.idem = ANY($1)", raw(keys))
	if err != nil {
		return nil, err
	}
	return f.delivered, each(f.scanKey)(rows)
}

// raw gives digests as the driver takes them.
func raw[D ~[16]byte](digests []D) [][]byte {
	out := make([][]byte, len(digests))
	for i := range digests {
		d := [16]byte(digests[i])
		out[i] = d[:]
	}
	return out
}

// commit sends all writes and the commit itself in one go. If one of them fails, the server skips the rest.
func (s *postgresStore) commit(ctx context.Context, c *changes) error {
	b := &pgx.Batch{}
	for i, args := range c {
		if len(args) > 0 {
			b.Queue(statements[i].arrays(), transpose(args, statements[i].columns)...)
		}
	}
	b.Queue("COMMIT")
	if err := s.conn.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	for key, id := range s.read.accounts {
		s.accounts.put(key, id)
	}
	maps.Copy(s.scopes, s.read.scopes)
	if len(c[purgeAccount]) > 0 {
		s.accounts.clear()
	}
	s.release()
	return nil
}

// transpose makes one array of each column.
func transpose(args []any, columns []column) []any {
	width := len(columns)
	out := make([]any, width)
	for i, c := range columns {
		switch c.typ {
		case bigint:
			out[i] = pick[int64](args, i, width)
		case bytea:
			out[i] = pick[[]byte](args, i, width)
		default:
			out[i] = pick[string](args, i, width)
		}
	}
	return out
}

// pick gives every width-th argument as a column of its type.
func pick[T any](args []any, from, width int) []T {
	out := make([]T, 0, len(args)/width)
	for ; from < len(args); from += width {
		out = append(out, args[from].(T))
	}
	return out
}

// rollback ends the transaction. A connection that does not answer is given up; the pool makes another.
func (s *postgresStore) rollback() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := s.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = s.conn.Conn().Close(ctx) // it is broken already
	}
	s.release()
}

// release gives the connection back to the pool, and forgets what was not committed.
func (s *postgresStore) release() {
	s.conn.Release()
	s.conn = nil
	s.read.accounts, s.read.scopes = nil, nil
}

// fault sorts errors by their SQLSTATE (PostgreSQL, Appendix A).
func (s *postgresStore) fault(err error) fault {
	var e *pgconn.PgError
	switch {
	case errors.Is(err, errDocument):
		return faultRefused
	case !errors.As(err, &e):
		return faultDown
	}
	switch e.Code {
	case "23503": // foreign_key_violation: an account that is remembered was deleted by another process
		s.accounts.clear()
		return faultRace
	case "23505", "40001", "40P01": // unique_violation, serialization_failure, deadlock_detected
		return faultRace
	}
	if e.Code == "55P03" { // lock_not_available: another process holds a row and does not go on
		return faultBusy
	}
	switch e.Code[:2] {
	case "22", "23", "54": // data, integrity, limits
		return faultRefused
	}
	return faultDown
}

// close has nothing to do: the pool is closed by who opened it.
func (s *postgresStore) close() error { return nil }

// each scans every row.
func each(scan func(scanner) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
