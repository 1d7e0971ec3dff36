package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// What one transaction takes at most. Tasks to be created have a limit of their own, so that a flood of them does not
// make the workers wait: what a worker has to record is never behind more than that many.
const (
	maxBatch   = 512
	maxCreates = 128
)

// operation is one thing that a caller wants written.
type operation struct {
	weight int // how many enforcements it brings; 1 for what is no creation
	needs  func(*needs)
	run    func(*batch) error // may run more than once, each time in another batch
	err    error
	done   chan struct{}
	state  atomic.Int32
}

// The states of an operation. The caller may leave as long as it is queued.
const (
	queued int32 = iota
	taken
	left
)

func newOperation(weight int) *operation {
	return &operation{weight: weight, needs: func(*needs) {}, done: make(chan struct{})}
}

// writer is the one goroutine that writes.
type writer struct {
	store    store
	accounts *roster
	hot      *recent[*taskRow] // tasks as they were committed last; nil if others write to the same database
	now      func() time.Time
	log      zerolog.Logger
	metrics  *metrics
	limit    int64
	deadline time.Duration

	// What workers record goes before what comes in new; a purge runs alone. Each channel holds what waits, and no more is
	// taken in than fits: memory is bounded whatever arrives.
	urgent, creates, alone chan *operation
	waitingTasks           atomic.Int64
	stop                   chan struct{} // closed to stop
	ended                  chan struct{} // closed when it has stopped
	failing                atomic.Pointer[error]
}

func newWriter(db *database, hot *recent[*taskRow], o Options, m *metrics) *writer {
	w := &writer{store: db.store, accounts: db.accounts, hot: hot, now: o.Now, log: o.Logger, metrics: m, limit: int64(o.QueueLimit), deadline: o.Deadline,
		urgent: make(chan *operation, o.QueueLimit), creates: make(chan *operation, o.QueueLimit), alone: make(chan *operation, 1),
		stop: make(chan struct{}), ended: make(chan struct{})}
	go w.loop()
	return w
}

// submit hands an operation to the writer and waits for its commit. An error that wraps schemas.ErrOverloaded means
// that the caller was promised nothing; any other is the operation's own.
func (w *writer) submit(ctx context.Context, to chan *operation, o *operation) error {
	if to == w.creates {
		// One delivery alone may be larger than the limit: it is taken when nothing else waits.
		if n := w.waitingTasks.Add(int64(o.weight)); n > w.limit && n > int64(o.weight) {
			w.waitingTasks.Add(-int64(o.weight))
			return w.overloaded(reasonFull, errors.New("too much waits to be written already"))
		}
	}
	select {
	case <-w.stop:
		w.forget(to, o)
		return w.overloaded(reasonClosed, errors.New("it is being closed"))
	default:
	}
	select {
	case to <- o:
	default:
		w.forget(to, o)
		return w.overloaded(reasonFull, errors.New("too much waits to be written already"))
	}
	timer := time.NewTimer(w.deadline)
	defer timer.Stop()
	select {
	case <-o.done:
		return o.err
	// Who leaves while the operation is still queued takes it along: the writer skips it. Once it is taken it may yet be
	// committed, which the caller is not promised and will see when he tries again.
	case <-ctx.Done():
		o.state.CompareAndSwap(queued, left)
		return w.overloaded(reasonDeadline, ctx.Err())
	case <-timer.C:
		o.state.CompareAndSwap(queued, left)
		return w.overloaded(reasonDeadline, fmt.Errorf("no commit within %s", w.deadline))
	case <-w.ended:
	}
	select {
	case <-o.done: // both were ready
		return o.err
	default:
		return w.overloaded(reasonClosed, errors.New("it is being closed"))
	}
}

// forget takes an operation that has left its channel, or never got into it, out of the count of waiting tasks.
func (w *writer) forget(from chan *operation, o *operation) {
	if from == w.creates {
		w.waitingTasks.Add(-int64(o.weight))
	}
}

// overloaded counts an overload and makes its error. The cause stays in the chain, for the log.
func (w *writer) overloaded(reason string, cause error) error {
	if !errors.Is(cause, context.Canceled) { // a caller who went away is no overload
		w.metrics.overloaded.WithLabelValues(reason).Inc()
	}
	return fmt.Errorf("ledger: %w: %w", schemas.ErrOverloaded, cause)
}

// loop is the one goroutine. Between two batches it takes from whichever channel has something; select chooses at random,
// so that none of the three starves.
func (w *writer) loop() {
	defer close(w.ended)
	ops := make([]*operation, 0, maxBatch)
	for {
		ops = ops[:0]
		var create *operation
		select {
		case o := <-w.urgent:
			ops = append(ops, o)
		case create = <-w.creates:
		case o := <-w.alone:
			w.process(append(ops, o))
			continue
		case <-w.stop:
			if len(w.urgent)+len(w.creates)+len(w.alone) == 0 {
				return
			}
			continue
		}
		w.process(w.gather(ops, create))
	}
}

// gather adds whatever waits already, without waiting for more: those share a commit that came during the one before.
// Creates come last, so that a replay among them sees what the others did.
func (w *writer) gather(ops []*operation, create *operation) []*operation {
	for len(ops) < maxBatch-1 {
		select {
		case o := <-w.urgent:
			ops = append(ops, o)
			continue
		default:
		}
		break
	}
	for tasks := 0; ; {
		if create != nil {
			w.forget(w.creates, create)
			ops = append(ops, create)
			tasks += create.weight
		}
		if len(ops) >= maxBatch || tasks >= maxCreates {
			return ops
		}
		select {
		case create = <-w.creates:
		default:
			return ops
		}
	}
}

// close stops the writer after what it has accepted is written.
func (w *writer) close() {
	close(w.stop)
	<-w.ended
}
