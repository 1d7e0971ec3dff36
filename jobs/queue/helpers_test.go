package queue

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

// patience is for things that take milliseconds on an idle machine.
const patience = 30 * time.Second

// engines runs a test on the embedded engine and on a real Redis.
func engines(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, Options{URL: "embedded"}) })
	t.Run("redis", func(t *testing.T) { test(t, Options{URL: testserver.Redis(t).URL}) })
}

// open opens a queue that the test closes.
func open(t testing.TB, o Options) *Queue {
	t.Helper()
	q, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("opening %s: %v", o.URL, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := q.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return q
}

// serve serves a queue and fails the test if it can not.
func serve(t testing.TB, q *Queue, queue string, concurrency int, handle func(context.Context, jobs.Work)) *Worker {
	t.Helper()
	w, err := q.Serve(queue, concurrency, handle)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// enqueue enqueues and fails the test if it can not.
func enqueue(t testing.TB, q *Queue, works ...jobs.Work) {
	t.Helper()
	for _, w := range works {
		if err := q.Enqueue(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
}

// enqueueMany enqueues by several callers at once.
func enqueueMany(t testing.TB, q *Queue, all []jobs.Work) {
	t.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				if err := q.Enqueue(t.Context(), all[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

const callers = 64

const testQueue = "system-test"

// work makes the n-th work of a test.
func work(n int) jobs.Work {
	return jobs.Work{
		ID: fmt.Sprintf("0198c0de-0000-7000-8000-%012d", n), TaskID: fmt.Sprintf("0198c0de-1111-7000-8000-%012d", n),
		Queue: testQueue, Generation: 1,
	}
}

func works(n int) []jobs.Work {
	all := make([]jobs.Work, n)
	for i := range all {
		all[i] = work(i)
	}
	return all
}

// inbox counts how often each work was handed out.
type inbox struct {
	mu   sync.Mutex
	seen map[jobs.Work]int
	more chan struct{}
}

func newInbox() *inbox { return &inbox{seen: map[jobs.Work]int{}, more: make(chan struct{}, 1)} }

func (b *inbox) take(_ context.Context, w jobs.Work) {
	b.mu.Lock()
	b.seen[w]++
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

func (b *inbox) count(w jobs.Work) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[w]
}

// await waits until every work was handed out at least once.
func (b *inbox) await(t testing.TB, all ...jobs.Work) {
	t.Helper()
	limit := time.After(patience)
	for {
		missing := 0
		b.mu.Lock()
		for _, w := range all {
			if b.seen[w] == 0 {
				missing++
			}
		}
		b.mu.Unlock()
		if missing == 0 {
			return
		}
		select {
		case <-b.more:
		case <-limit:
			t.Fatalf("%d of %d works were not handed out", missing, len(all))
		}
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
