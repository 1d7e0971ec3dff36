package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// idem stands for a source, an idempotency key and a place in the delivery. Sixteen bytes of SHA-256 keep the index of
// the keys, whose pages are written in random order, small; to make two of them meet takes 2^64 tries.
type idem [16]byte

func newIdem(source, key string, place int) idem {
	h := sha256.New()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(source)))
	h.Write(n[:])
	h.Write([]byte(source))
	h.Write([]byte(key))
	if place > 0 { // so that place 1 of the key "a" is not place 0 of the key "a#1"
		binary.BigEndian.PutUint64(n[:], uint64(place))
		h.Write([]byte{0})
		h.Write(n[:])
	}
	return idem(h.Sum(nil))
}

// item is one task to be created, worked out by the caller's goroutine, so that the writer has little left to do.
type item struct {
	key      idem
	account  string
	scope    scope
	bodyHash [32]byte
	task     schemas.Task
	due      []time.Time // of each enforcement
	events   []string    // documents
	doc      string      // of the task
}

// prepare folds the events of a delivery.
func prepare(d jobs.NewDelivery) ([]*item, error) {
	items := make([]*item, len(d.Accepted))
	ids := make(map[string]bool, len(d.Accepted))
	for i, e := range d.Accepted {
		if e.Accepted == nil || e.Type != schemas.EventAccepted || e.TaskID == "" || ids[e.TaskID] {
			return nil, fmt.Errorf("ledger: event %d of a delivery is not an accepted event with a task id of its own", i)
		}
		ids[e.TaskID] = true
		e = settle(e)
		e.Accepted.Source, e.Accepted.IdempotencyKey = d.Source, d.Key
		if i > 0 {
			e.Accepted.IdempotencyKey = fmt.Sprintf("%s#%d", d.Key, i)
		}
		it := &item{key: newIdem(d.Source, d.Key, i), account: e.Accepted.Request.Account.Key(), bodyHash: d.BodyHash,
			scope: newScope(d.Source, e.Accepted.Systems)}
		if err := it.fold(e); err != nil {
			return nil, err
		}
		it.due = slices.Repeat([]time.Time{e.At}, len(it.task.Enforcements))
		if i < len(d.Then) {
			for _, e := range d.Then[i] {
				e = settle(e)
				moved(it.task, e, it.due)
				if err := it.fold(e); err != nil {
					return nil, err
				}
			}
		}
		var err error
		if it.doc, err = encode(it.task); err != nil {
			return nil, err
		}
		items[i] = it
	}
	return items, nil
}

// fold adds an event to what the task begins with.
func (it *item) fold(e schemas.Event) (err error) {
	e.Seq = it.task.Version + 1
	if it.task, err = it.task.Apply(e); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	doc, err := encode(e)
	it.events = append(it.events, doc)
	return err
}

// Create implements jobs.Ledger. It sets the Source, IdempotencyKey and Seq of the events. A delivery of which only a
// part is left, because the rest was purged, is a replay of that part. With the key of a delivery nothing is asked of the
// database that concerns bodies.
func (l *Ledger) Create(ctx context.Context, d jobs.NewDelivery) ([]schemas.Task, bool, error) {
	if len(d.Accepted) == 0 {
		return nil, false, nil
	}
	keyless := d.Key == ""
	if keyless {
		d.Key = bodyKey(d.BodyHash, d.Accepted[0].At)
	}
	items, err := prepare(d)
	if err != nil {
		return nil, false, err
	}
	// The writer fills these; they are read only after it has answered.
	var tasks []schemas.Task
	var replay bool
	o := newOperation(weigh(items))
	o.needs = func(n *needs) {
		n.numbers += len(items)
		if keyless {
			n.bodies = append(n.bodies, newBody(d.Source, d.BodyHash))
		}
		for _, it := range items {
			n.keys = append(n.keys, it.key)
			n.accounts = append(n.accounts, it.account)
			n.scopes = append(n.scopes, it.scope)
		}
	}
	o.run = func(b *batch) (err error) {
		if keyless {
			if tasks, err = b.repeated(d, items); err != nil || len(tasks) > 0 {
				replay = len(tasks) > 0
				return err
			}
		}
		tasks, replay, err = b.create(items)
		if keyless && err == nil && !replay {
			b.remember(d, b.found.tasks[items[0].task.ID])
		}
		return err
	}
	if err := l.writer.submit(ctx, l.writer.creates, o); err != nil {
		return nil, false, err
	}
	return tasks, replay, nil
}

// weigh tells what a delivery costs the writer: a row for each enforcement.
func weigh(items []*item) int {
	n := 0
	for _, it := range items {
		n += len(it.task.Enforcements)
	}
	return n
}

// create records the items, or gives the tasks that their keys made before.
func (b *batch) create(items []*item) (tasks []schemas.Task, replay bool, err error) {
	for _, it := range items {
		d, ok := b.found.delivered[it.key]
		if !ok {
			continue
		}
		if d.bodyHash != it.bodyHash {
			return nil, false, fmt.Errorf("ledger: %w: %q of %s", schemas.ErrKeyReused, it.task.IdempotencyKey, it.scope.source)
		}
		row, err := b.task(d.id)
		if err != nil {
			return nil, false, err
		}
		tasks = append(tasks, clone(row.task))
	}
	if len(tasks) > 0 {
		return tasks, true, nil
	}
	// Only the ids that this batch knows can be checked here; any other that is in use is refused by the unique index.
	for _, it := range items {
		if b.found.tasks[it.task.ID] != nil {
			return nil, false, fmt.Errorf("ledger: the task id %s is in use", it.task.ID)
		}
	}
	for _, it := range items {
		row := &taskRow{n: b.found.number(), account: b.found.accounts[it.account], scope: b.found.scopes[it.scope],
			task: it.task, doc: it.doc, fresh: it}
		b.found.tasks[it.task.ID] = row
		b.found.delivered[it.key] = delivered{it.task.ID, it.bodyHash}
		for i, doc := range it.events {
			b.changes.add(insertEvent, row.n, int64(i+1), doc)
		}
		b.follow(row, schemas.Task{}, it.due)
		b.fresh = append(b.fresh, row)
		tasks = append(tasks, clone(it.task))
	}
	return tasks, false, nil
}
