package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// digest stands for a source and a body that it delivered.
type digest [16]byte

// bodyRow is a body that was delivered without an id.
type bodyRow struct {
	at     int64 // when it came first
	n      int64 // the first task that it made, if it came in this batch
	stored bool  // there is a row for the body
}

// newBody gives the digest of a delivery's body.
func newBody(source string, hash [32]byte) digest {
	return digest(newIdem(source, "\x00"+string(hash[:]), 0)) // no key begins with NUL: headers cannot hold it
}

// bodyKey is the idempotency key of a delivery that carries none. The time keeps apart what the sender asks anew in the
// same words.
func bodyKey(hash [32]byte, at time.Time) string {
	return fmt.Sprintf("body-%x-%s", hash[:8], strconv.FormatInt(micros(at), 36))
}

// repeated gives the first tasks of a delivery whose body was seen before, if that is what they are asked for again. No
// tasks and no error mean that it is a new delivery.
func (b *batch) repeated(d jobs.NewDelivery, items []*item) ([]schemas.Task, error) {
	key := newBody(d.Source, d.BodyHash)
	row := b.seen[key]
	if row == nil {
		row = b.found.bodies[key]
	}
	if row == nil {
		return nil, nil
	}
	first := fromMicros(row.at)
	if d.Repeat.Replays(first, items[0].task.CreatedAt) {
		tasks, err := b.firstTasks(d, first, len(items))
		if err != nil || len(tasks) > 0 {
			return tasks, err
		}
	}
	if d.Repeat.Refuse {
		return nil, fmt.Errorf("ledger: %w: the body came from %s first at %s", schemas.ErrReplayed, d.Source, first.Format(time.RFC3339))
	}
	return nil, nil
}

// firstTasks gives what is left of the tasks that the body made.
func (b *batch) firstTasks(d jobs.NewDelivery, at time.Time, items int) ([]schemas.Task, error) {
	keys, unknown := make([]idem, items), []idem(nil)
	for i := range keys {
		keys[i] = newIdem(d.Source, bodyKey(d.BodyHash, at), i)
		if _, ok := b.found.delivered[keys[i]]; !ok {
			unknown = append(unknown, keys[i])
		}
	}
	if len(unknown) > 0 {
		more, err := b.store.keys(b.ctx, unknown)
		if err != nil {
			return nil, &brokenError{err}
		}
		for key, d := range more {
			b.found.delivered[key] = d
		}
	}
	var tasks []schemas.Task
	for _, key := range keys {
		if d, ok := b.found.delivered[key]; ok {
			row, err := b.task(d.id)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, clone(row.task))
		}
	}
	return tasks, nil
}

// remember notes a body whose tasks were made in this batch.
func (b *batch) remember(d jobs.NewDelivery, first *taskRow) {
	key := newBody(d.Source, d.BodyHash)
	stored := b.found.bodies[key]
	b.seen[key] = &bodyRow{at: micros(first.task.CreatedAt), n: first.n, stored: stored != nil}
}

// finishBodies writes which bodies were seen, in their order, for the same reason as with leaders.
func (b *batch) finishBodies(c *changes) {
	for _, key := range slices.SortedFunc(maps.Keys(b.seen), func(x, y digest) int { return bytes.Compare(x[:], y[:]) }) {
		row := b.seen[key]
		statement := insertBody
		if row.stored {
			statement = updateBody
		}
		c.add(statement, key[:], row.at, row.n)
	}
}
