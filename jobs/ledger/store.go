package ledger

import (
	"context"
	"database/sql"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// store is one database, as the writer uses it: one transaction at a time. Its errors are sorted by fault.
type store interface {
	// begin opens a transaction and gives what is there of the things needed, locked against other processes.
	begin(ctx context.Context, n *needs) (*found, error)
	// tasks reads more tasks in the open transaction, without locking them.
	tasks(ctx context.Context, ids []string) (map[string]*taskRow, error)
	// keys reads more idempotency keys in the open transaction.
	keys(ctx context.Context, keys []idem) (map[idem]delivered, error)
	// commit writes the changes and makes them durable.
	commit(ctx context.Context, c *changes) error
	// rollback ends the transaction, whatever state it is in.
	rollback()
	// fault tells what an error means for the operations of the batch.
	fault(err error) fault
	close() error
}

// fault is what a failed transaction means.
type fault int

const (
	faultDown    fault = iota // the database cannot write now: nobody's fault in the batch
	faultRace                 // another process was faster: the same batch may pass when it is run again
	faultRefused              // the database refuses the data of some operation
	faultBusy                 // some operation needs a row that another process does not let go
)

// needs is what the operations of a batch concern.
type needs struct {
	tasks     []string // ids
	work      []string // ids
	callbacks []string // ids
	owing     []string // ids of tasks of which it must be known whether they owe callbacks
	keys      []idem   // of deliveries
	bodies    []digest // of deliveries without a key
	subjects  []jobs.Subject
	accounts  []string // keys
	scopes    []scope
	numbers   int // how many tasks may be created
}

// found is what a store has of the needs. What is not there is not in the maps, except that accounts and scopes are
// made where they are missing.
type found struct {
	tasks     map[string]*taskRow
	work      map[string]*jobs.Work
	callbacks map[string]*callbackRow
	owing     map[int64]bool // by task number
	delivered map[idem]delivered
	bodies    map[digest]*bodyRow
	leaders   map[jobs.Subject]*leaderRow
	accounts  map[string]int64
	scopes    map[scope]int64
	number    func() int64 // a new number for a task
}

func newFound() *found {
	return &found{tasks: map[string]*taskRow{}, work: map[string]*jobs.Work{}, callbacks: map[string]*callbackRow{}, owing: map[int64]bool{},
		delivered: map[idem]delivered{}, bodies: map[digest]*bodyRow{}, leaders: map[jobs.Subject]*leaderRow{}, accounts: map[string]int64{}, scopes: map[scope]int64{}}
}

// delivered tells of an idempotency key that was used.
type delivered struct {
	id       string // of the task
	bodyHash [32]byte
}

// taskRow is a task as the batch has it.
type taskRow struct {
	n, account, scope int64
	task              schemas.Task
	facet             int64 // as it is stored; 0 for a task that is not
	doc               string
	changed           bool
	fresh             *item // what a task is created from
}

// callbackRow is a callback as the batch has it.
type callbackRow struct {
	n              int64 // of its task
	callback       schemas.Callback
	doc            string
	changed, fresh bool
}

const (
	selectTask     = "SELECT t.id, t.n, t.account, t.facet, t.doc FROM tasks t"
	selectWork     = "SELECT w.id, w.generation, w.due_at FROM work w"
	selectKey      = "SELECT t.idem, t.id, t.body_hash FROM tasks t"
	selectCallback = "SELECT c.id, c.task, c.doc FROM callbacks c"
	selectLeader   = "SELECT l.subject, t.id, t.doc FROM leaders l LEFT JOIN tasks t ON t.n = l.task"
	selectBody     = "SELECT b.digest, b.at FROM bodies b"
	selectOwing    = "SELECT c.task, c.state FROM tasks t JOIN callbacks c ON c.task = t.n"
)

// scanner is a row of either database.
type scanner interface{ Scan(into ...any) error }

// The scan functions read one row of their query into what was found, on either database.
func (f *found) scanTask(s scanner) error {
	var id, doc string
	row := &taskRow{}
	if err := s.Scan(&id, &row.n, &row.account, &row.facet, &doc); err != nil {
		return err
	}
	row.scope = row.facet >> facetStatusBits
	f.tasks[id] = row
	return decode(doc, &row.task)
}

func (f *found) scanWork(s scanner) error {
	var due int64
	w := &jobs.Work{}
	if err := s.Scan(&w.ID, &w.Generation, &due); err != nil {
		return err
	}
	w.DueAt = fromMicros(due)
	f.work[w.ID] = w
	return nil
}

func (f *found) scanKey(s scanner) error {
	var key, hash []byte
	var d delivered
	if err := s.Scan(&key, &d.id, &hash); err != nil {
		return err
	}
	copy(d.bodyHash[:], hash)
	f.delivered[idem(key)] = d
	return nil
}

func (f *found) scanLeader(s scanner) error {
	var subject []byte
	var id, doc sql.NullString // of a task that is gone nothing is left
	if err := s.Scan(&subject, &id, &doc); err != nil {
		return err
	}
	f.leaders[jobs.Subject(subject)] = &leaderRow{id: id.String, doc: doc.String, stored: true}
	return nil
}

func (f *found) scanBody(s scanner) error {
	var key []byte
	var at int64
	if err := s.Scan(&key, &at); err != nil {
		return err
	}
	f.bodies[digest(key)] = &bodyRow{at: at, stored: true}
	return nil
}

func (f *found) scanCallback(s scanner) error {
	var id, doc string
	row := &callbackRow{}
	if err := s.Scan(&id, &row.n, &doc); err != nil {
		return err
	}
	f.callbacks[id] = row
	return decode(doc, &row.callback)
}

func (f *found) scanOwing(s scanner) error {
	var n int64
	var state string
	err := s.Scan(&n, &state)
	if state == string(schemas.CallbackPending) {
		f.owing[n] = true
	}
	return err
}
