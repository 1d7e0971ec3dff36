package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// handlerGrace is for handlers that return when their context ends.
	handlerGrace = 250 * time.Millisecond
	// serverGrace is for asynq to stop when no handler keeps it: its goroutines end at once, unless one waits for a Redis
	// that hangs.
	serverGrace = 2 * time.Second
)

// Close takes nothing more off the queue and waits for the handlers that run. When the context ends before them, their
// context ends too; those that do not return within a quarter of a second are left behind, which the error says, and the
// ledger's lease brings their work back. Closing twice is no error.
func (w *Worker) Close(ctx context.Context) error {
	w.begin.Do(func() {
		close(w.closing)
		go w.shutdown()
	})
	select {
	case <-w.gone:
		w.cancel()
		return nil
	case <-ctx.Done():
	}
	w.cancel()
	if w.goneWithin(handlerGrace) {
		return nil
	}
	left := w.running.Load()
	w.giveUp.Do(func() { close(w.abandon) })
	if !w.goneWithin(serverGrace) {
		return fmt.Errorf("closing the worker of %s: asynq did not stop in time: redis hangs", w.lane.name)
	}
	if left == 0 {
		return nil
	}
	return fmt.Errorf("closing the worker of %s: %d handlers did not return in time; the ledger hands their work out again", w.lane.name, left)
}

// shutdown stops all servers at once and waits for them. asynq itself sets handlers no limit; Close does.
func (w *Worker) shutdown() {
	var group sync.WaitGroup
	for _, server := range w.servers {
		group.Go(server.Shutdown)
	}
	group.Wait()
	w.forget()
	close(w.gone)
}

func (w *Worker) goneWithin(limit time.Duration) bool {
	select {
	case <-w.gone:
		return true
	case <-time.After(limit):
		return false
	}
}

// Close closes all workers as Worker.Close does, then the connections and the embedded engine. Calls that come later give
// ErrClosed. Closing twice is no error.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	workers := make([]*Worker, 0, len(q.workers))
	for _, w := range q.workers {
		workers = append(workers, w)
	}
	q.mu.Unlock()

	failed := make([]error, len(workers))
	var group sync.WaitGroup
	for i, w := range workers {
		group.Go(func() { failed[i] = w.Close(ctx) })
	}
	group.Wait()
	q.cancel()
	q.background.Wait()
	q.metrics.unregister()
	for _, w := range workers {
		select {
		case <-w.gone:
		default:
			// A server that still runs would panic on a closed client: asynq's subscriber takes the end of its channel
			// for a message. The process is about to end anyway.
			return errors.Join(failed...)
		}
	}
	failed = append(failed, q.hide.error(q.client.Close()))
	q.engine.close()
	return errors.Join(failed...)
}
