package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/jobs"
)

// Worker hands the work of one queue to a function, until it is closed.
type Worker struct {
	lane   *lane
	log    zerolog.Logger
	handle func(context.Context, jobs.Work)

	servers []*asynq.Server
	slots   chan struct{} // one for each handler that runs
	running atomic.Int64

	ctx     context.Context //nolint:containedctx // the handlers': it ends when Close loses its patience
	cancel  context.CancelFunc
	closing chan struct{} // closed: take nothing more
	abandon chan struct{} // closed: do not wait for handlers
	gone    chan struct{} // closed: asynq has stopped
	begin   sync.Once
	giveUp  sync.Once
	forget  func() // lets the queue serve this lane anew
}

// seldom is the interval of asynq's housekeeping for delayed and retained tasks: there are none.
const seldom = 24 * time.Hour

// Serve hands the work of a queue to handle, at most concurrency at a time, until Close. Each queue has asynq servers of
// its own, so that one that hangs does not delay another. A process serves a queue once.
//
// The work has its DueAt unset; whoever handles it claims it in the ledger, which knows. The same work may be handed out
// more than once. The context ends when a closing queue stops waiting, not before: neither asynq's lease nor a Redis that
// is gone interrupts a handler. What the handler does about errors is its own affair; a panic is logged and ends there.
func (q *Queue) Serve(queue string, concurrency int, handle func(ctx context.Context, w jobs.Work)) (*Worker, error) {
	l, err := q.lane(queue)
	if err != nil {
		return nil, err
	}
	if concurrency < 1 || handle == nil {
		return nil, fmt.Errorf("serving %s needs a handler and a concurrency of at least 1, not %d", queue, concurrency)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Worker{
		lane: l, handle: handle, log: q.log.With().Str("queue", queue).Logger(),
		slots: make(chan struct{}, concurrency), ctx: ctx, cancel: cancel,
		closing: make(chan struct{}), abandon: make(chan struct{}), gone: make(chan struct{}),
		forget: func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			delete(q.workers, queue)
		},
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		err = ErrClosed
	case q.workers[queue] != nil:
		err = fmt.Errorf("%s is served already: close the other worker first, or raise its concurrency", queue)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	log := newAsynqLog(q, w)
	pullers := q.pullersFor(concurrency)
	for i := range pullers {
		server := asynq.NewServerFromRedisClient(newPuller(q, l, w.closing), asynq.Config{
			Concurrency:       share(concurrency, i, pullers),
			Queues:            map[string]int{l.full: 1},
			TaskCheckInterval: time.Millisecond, // the puller holds back

			DelayedTaskCheckInterval: seldom, JanitorInterval: seldom,
			ShutdownTimeout: seldom, // Close has a limit of its own
			Logger:          log, LogLevel: asynq.WarnLevel,
		})
		if err := server.Start(asynq.HandlerFunc(w.process)); err != nil { // never, for a new server
			close(w.closing)
			for _, started := range w.servers {
				started.Shutdown()
			}
			cancel()
			return nil, fmt.Errorf("serving %s: %w", queue, err)
		}
		w.servers = append(w.servers, server)
	}
	q.workers[queue] = w
	return w, nil
}

// pullersFor chooses how many servers share a queue's concurrency.
func (q *Queue) pullersFor(concurrency int) int {
	n := q.pullers
	if n == 0 {
		n = 1
		if q.synced {
			n = min(4, concurrency/4)
		}
	}
	return min(max(n, 1), concurrency)
}

// share gives the i-th of n about equal parts, which add up to the whole.
func share(whole, i, n int) int { return (whole + i) / n }

// process is asynq's handler. It never gives an error: asynq would archive the wake-up, and the ledger decides anyway.
func (w *Worker) process(_ context.Context, t *asynq.Task) error {
	var p payload
	if err := json.Unmarshal(t.Payload(), &p); err != nil || p.Work == "" {
		w.log.Warn().Msg("a wake-up on the queue is not one of ours and was dropped: let nobody else write to this Redis")
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// asynq starts the next one when it believes that a handler has lost its lease, though it runs on.
		w.slots <- struct{}{}
		w.running.Add(1)
		defer func() {
			w.running.Add(-1)
			<-w.slots
			w.recovered(p, recover())
		}()
		w.handle(w.ctx, jobs.Work{ID: p.Work, TaskID: p.Task, Queue: w.lane.name, Generation: p.Generation})
	}()
	select {
	case <-done:
	case <-w.abandon:
	}
	return nil
}

// recovered logs a panic, if there was one. Its text is shown only when the runtime wrote it, since any other may quote a
// secret.
func (w *Worker) recovered(p payload, value any) {
	if value == nil {
		return
	}
	text := fmt.Sprintf("a value of type %T", value)
	var own runtime.Error
	if err, ok := value.(error); ok && errors.As(err, &own) {
		text = own.Error()
	}
	w.log.Error().Str("task", p.Task).Str("work", p.Work).Int("generation", p.Generation).Str("panic", text).
		Bytes("stack", debug.Stack()).Msg("a handler panicked; the ledger gives the work to another when its claim runs out")
}
