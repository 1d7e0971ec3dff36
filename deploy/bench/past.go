package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/resetd/resetd/schemas"
)

// past makes the tasks of a history, each as the fold of events that its life consists of.
type past struct {
	rows int
	end  time.Time
}

// pastRow is one task on its way into the database.
type pastRow struct {
	task    schemas.Task
	account int // its number
	source  string
	systems []string // sorted
	doc     []byte
}

// idem stands for the digest of the idempotency key, which is different for every task.
func (r pastRow) idem() []byte {
	sum := sha256.Sum256([]byte(r.task.ID))
	return sum[:]
}

// row makes the n-th task, 0 being the oldest. The same n gives the same task, but for its times.
func (p past) row(n int) (pastRow, error) {
	r := rand.New(rand.NewPCG(historySeed1, uint64(n)))
	at := p.end.Add(-historySpan + time.Duration(float64(historySpan)*(float64(n)+0.9*r.Float64())/float64(p.rows))).Truncate(time.Microsecond)
	row := pastRow{account: r.IntN(accounts), source: historySources.draw(r), systems: []string{historySystems.draw(r)}}
	if r.IntN(10) == 0 {
		if more := historySystems.draw(r); more != row.systems[0] {
			row.systems = append(row.systems, more)
			slices.Sort(row.systems)
		}
	}
	request := schemas.Request{Account: schemas.Account{Type: schemas.AccountAddress, Value: account(row.account)}, Systems: row.systems,
		Description: "Credential phish, case " + strconv.Itoa(r.IntN(100000)), Reference: "INC" + strconv.Itoa(1000000+n)}
	end := historyEnds.draw(r)
	status := schemas.StatusQueued
	if end == schemas.EventAccepted || end == schemas.EventRejected || end == schemas.EventCancelled {
		status = schemas.StatusPendingApproval
	}
	events := []schemas.Event{{At: at, Type: schemas.EventAccepted, Actor: "source:" + row.source,
		Accepted: &schemas.Accepted{Source: row.source, IdempotencyKey: "past_" + strconv.Itoa(n), Request: request.WithDefaults(), Systems: row.systems, Status: status}}}
	switch end {
	case schemas.EventAccepted:
	case schemas.EventRejected, schemas.EventCancelled:
		events = append(events, schemas.Event{At: at.Add(time.Hour), Type: end, Actor: "token:ops"})
	default:
		for _, system := range row.systems {
			events = append(events, life(system, at, end)...)
		}
	}
	id := taskID(at, r)
	var err error
	for i, e := range events {
		e.TaskID, e.Seq = id, i+1
		if row.task, err = row.task.Apply(e); err != nil {
			return row, err
		}
	}
	row.doc, err = schemas.Encode(row.task)
	return row, err
}

// life is what a worker records of one enforcement.
func life(system string, at time.Time, end schemas.EventType) []schemas.Event {
	step := func(name schemas.StepName, code schemas.Code) schemas.Step {
		return schemas.Step{Name: name, Code: code, At: at, TookMS: 3}
	}
	codes := map[schemas.EventType]schemas.Code{schemas.EventSucceeded: schemas.CodeOK, schemas.EventFailed: schemas.CodePasswordRejected, schemas.EventNotFound: schemas.CodeAccountNotFound}
	who := "worker:bench-00000000"
	out := []schemas.Event{{At: at, Type: schemas.EventClaimed, Actor: who, System: system, Generation: 2}}
	if end == schemas.EventNotFound {
		return append(out, schemas.Event{At: at, Type: end, Actor: who, System: system, Code: codes[end], Steps: []schemas.Step{step(schemas.StepResolve, codes[end])}})
	}
	return append(out,
		schemas.Event{At: at, Type: schemas.EventIntended, Actor: who, System: system, Intent: &schemas.Evidence{Marker: "0"},
			Identity: &schemas.Identity{ID: "4f7b1c2e-0000-4000-8000-000000000000", Name: "uid=someone,ou=people,dc=example,dc=com"},
			Steps:    []schemas.Step{step(schemas.StepResolve, schemas.CodeOK), step(schemas.StepClassify, schemas.CodeOK), step(schemas.StepPreflight, schemas.CodeOK)}},
		schemas.Event{At: at, Type: end, Actor: who, System: system, Code: codes[end],
			Steps: []schemas.Step{step(schemas.StepReset, codes[end]), step(schemas.StepRevoke, schemas.CodeOK), step(schemas.StepVerify, schemas.CodeOK)}})
}

// taskID makes a UUID version 7 (RFC 9562 §5.7) of a given time.
func taskID(at time.Time, r *rand.Rand) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|r.Uint64N(0x1000))
	binary.BigEndian.PutUint64(id[8:], 0x8000_0000_0000_0000|r.Uint64()>>2)
	return id.String()
}

// all makes every row, in batches, oldest first, on all processors, and hands the batches over in their order.
func (p past) all(ctx context.Context, take func([]pastRow) error) error {
	const batch = 2000
	type made struct {
		rows []pastRow
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	turns := make(chan chan made, runtime.NumCPU()) // bounds how far the makers are ahead
	var makers sync.WaitGroup
	makers.Go(func() {
		defer close(turns)
		for from := 0; from < p.rows; from += batch {
			turn := make(chan made, 1)
			select {
			case turns <- turn:
			case <-ctx.Done():
				return
			}
			makers.Go(func() {
				var m made
				for n := from; n < min(from+batch, p.rows) && m.err == nil; n++ {
					var row pastRow
					row, m.err = p.row(n)
					m.rows = append(m.rows, row)
				}
				turn <- m
			})
		}
	})
	defer makers.Wait()
	defer cancel()
	for turn := range turns {
		m := <-turn
		if m.err == nil {
			m.err = take(m.rows)
		}
		if m.err != nil {
			return m.err
		}
	}
	return ctx.Err()
}
