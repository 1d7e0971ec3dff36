package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// maxRaces is how often a batch is run again because another process was faster.
const maxRaces = 5

// process runs operations in one transaction and answers them. If the database refuses the data of one of them, each
// gets a transaction of its own, so that only that one fails.
func (w *writer) process(ops []*operation) {
	kept := ops[:0]
	for _, o := range ops {
		if o.state.CompareAndSwap(queued, taken) {
			kept = append(kept, o)
		}
	}
	if len(kept) == 0 {
		return
	}
	w.run(kept)
	for _, o := range kept {
		close(o.done)
	}
}

// run sets the error of every operation.
func (w *writer) run(ops []*operation) {
	ctx, cancel := context.WithTimeout(context.Background(), w.deadline)
	defer cancel()
	var err error
	// A batch that lost a race is decided again from what the winner left, which is why a decision may be asked for twice.
	for range maxRaces {
		if err = w.transact(ctx, ops); err == nil || w.store.fault(err) != faultRace {
			break
		}
	}
	switch {
	case err == nil:
	case w.store.fault(err) == faultDown:
		w.failed(err)
		for _, o := range ops {
			o.err = w.overloaded(reasonFailed, err)
		}
	case len(ops) == 1 && w.store.fault(err) == faultBusy:
		ops[0].err = w.overloaded(reasonFailed, err)
	case len(ops) > 1:
		for i := range ops {
			w.run(ops[i : i+1])
		}
	default:
		ops[0].err = fmt.Errorf("ledger: the database refuses this: %w", err)
		w.log.Error().Err(err).Msg("the ledger's database refuses the data of an operation; nothing of it was written")
	}
}

// transact is one try: it gives an error if nothing was committed, and otherwise has set the operations' own.
func (w *writer) transact(ctx context.Context, ops []*operation) error {
	begin := time.Now()
	n := &needs{}
	for _, o := range ops {
		o.needs(n)
	}
	known := w.known(n)
	f, err := w.store.begin(ctx, n)
	if err != nil {
		w.store.rollback()
		return err
	}
	for id, row := range known {
		f.tasks[id] = row
	}
	// From here on everything happens in memory. An operation that refuses has changed nothing there, so that the others
	// go on from the same place; only a database that fails in the middle ends them all.
	b := newBatch(ctx, w.store, f)
	for _, o := range ops {
		o.err = o.run(b)
		if broken := (*brokenError)(nil); errors.As(o.err, &broken) {
			w.store.rollback()
			return broken.cause
		}
	}
	c, err := b.finish(micros(w.now()))
	if err != nil || c.empty() {
		w.store.rollback()
		return err
	}
	// A connection that breaks during the commit leaves open whether it took place. Nothing was promised then: a create
	// that comes again finds its key, and a transition that comes again finds the task one step further.
	if err := w.store.commit(ctx, c); err != nil {
		w.store.rollback()
		return err
	}
	w.remember(b)
	w.recovered()
	w.metrics.batch.Observe(float64(len(ops)))
	w.metrics.seconds.Observe(time.Since(begin).Seconds())
	return nil
}

// known takes the tasks that need not be read out of the needs. They are copies: a batch that fails leaves no trace.
func (w *writer) known(n *needs) map[string]*taskRow {
	if w.hot == nil || len(n.tasks) == 0 {
		return nil
	}
	known := make(map[string]*taskRow, len(n.tasks))
	cold := n.tasks[:0]
	for _, id := range n.tasks {
		if known[id] != nil {
			continue
		}
		if row, ok := w.hot.get(id); ok {
			c := *row
			known[id] = &c
			continue
		}
		cold = append(cold, id)
	}
	n.tasks = cold
	return known
}

// remember keeps what was committed for the operations that will follow soon.
func (w *writer) remember(b *batch) {
	if len(b.orphans) > 0 {
		w.accounts.forget()
	}
	if w.hot == nil {
		return
	}
	for _, row := range b.fresh {
		w.keep(row)
	}
	for _, row := range b.changed {
		w.keep(row)
	}
	for _, row := range b.purged {
		w.hot.drop(row.task.ID)
	}
}

// keep puts a copy aside without what belonged to the batch, such as the item that a task was made from.
func (w *writer) keep(row *taskRow) {
	w.hot.put(row.task.ID, &taskRow{n: row.n, account: row.account, scope: row.scope, task: row.task, facet: row.facet})
}

// failed notes that the database does not take a batch. One line tells of it, however many batches follow.
func (w *writer) failed(err error) {
	if w.failing.Swap(&err) == nil {
		w.log.Error().Err(err).Msg("the ledger cannot write; requests are answered with 503 until it can: make room on the disk, or bring the database back")
	}
}

// recovered notes that a batch was committed.
func (w *writer) recovered() {
	if w.failing.Swap(nil) != nil {
		w.log.Info().Msg("the ledger writes again")
	}
}

// probe tells whether the ledger can write. After a failure it tries, because nobody else may: a balancer sends nothing
// to a replica that is not ready. It writes as much as some tasks do, since little may pass where they do not, and takes
// it back.
func (w *writer) probe(ctx context.Context) error {
	if w.failing.Load() == nil {
		return nil
	}
	for _, value := range []string{strings.Repeat(" ", probeSize), ""} {
		o := newOperation(1)
		o.run = func(b *batch) error {
			b.settings[probeKey] = value
			return nil
		}
		if err := w.submit(ctx, w.urgent, o); err != nil && !errors.Is(err, schemas.ErrOverloaded) {
			return fmt.Errorf("ledger: %w: %w", schemas.ErrOverloaded, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// What probe writes, as a setting.
const (
	probeKey  = "ledger.probe"
	probeSize = 64 << 10
)
