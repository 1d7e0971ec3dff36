package queue

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/resetd/resetd/jobs"
)

func TestEveryWorkIsHandedOutWithItsIDs(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box := open(t, o), newInbox()
		all := works(500)
		enqueue(t, q, all[:100]...) // before there is a worker
		serve(t, q, testQueue, 8, box.take)
		enqueueMany(t, q, all[100:])
		box.await(t, all...)
	})
}

func TestWorkIsHandedOutInOrder(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, got := open(t, o), make(chan jobs.Work, 50)
		all := works(50)
		enqueue(t, q, all...)
		serve(t, q, testQueue, 1, func(_ context.Context, w jobs.Work) { got <- w })
		for _, want := range all {
			if w := <-got; w != want {
				t.Fatalf("got %v, want %v", w, want)
			}
		}
	})
}

func TestEnqueueingTwiceIsNoErrorAndOneWakeUp(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box := open(t, o), newInbox()
		enqueue(t, q, work(1), work(1), work(1))
		if n, err := q.Depth(t.Context(), testQueue); err != nil || n != 1 {
			t.Errorf("depth is %d, %v; want 1", n, err)
		}
		serve(t, q, testQueue, 1, box.take)
		box.await(t, work(1))
		enqueue(t, q, work(2))
		box.await(t, work(2))
		if n := box.count(work(1)); n != 1 {
			t.Errorf("handed out %d times", n)
		}
	})
}

func TestAHandledWorkCanBeEnqueuedAgain(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box := open(t, o), newInbox()
		serve(t, q, testQueue, 2, box.take)
		enqueue(t, q, work(1))
		box.await(t, work(1))
		eventually(t, "the same generation a second time", func() bool {
			enqueue(t, q, work(1))
			return box.count(work(1)) >= 2
		})
	})
}

func TestANewGenerationDoesNotWaitForAHandlerThatHangs(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box, release := open(t, o), newInbox(), make(chan struct{})
		t.Cleanup(func() { close(release) })
		serve(t, q, testQueue, 2, func(ctx context.Context, w jobs.Work) {
			box.take(ctx, w)
			if w.Generation == 1 {
				<-release
			}
		})
		next := work(1)
		next.Generation = 2
		enqueue(t, q, work(1))
		box.await(t, work(1))
		enqueue(t, q, next)
		box.await(t, next)
	})
}

func TestWaitingIsTrueOnlyOnTheQueue(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, taken, release := open(t, o), make(chan struct{}), make(chan struct{})
		check := func(when string, want bool) {
			t.Helper()
			if got, err := q.Waiting(t.Context(), work(1)); err != nil || got != want {
				t.Errorf("%s: waiting is %v, %v; want %v", when, got, err, want)
			}
		}
		check("never enqueued", false)
		enqueue(t, q, work(1))
		check("enqueued", true)
		serve(t, q, testQueue, 1, func(context.Context, jobs.Work) {
			close(taken)
			<-release
		})
		<-taken
		check("with a worker", false)
		close(release)
		eventually(t, "the wake-up is gone from asynq", func() bool {
			_, err := q.inspector.GetTaskInfo(q.prefix+":"+testQueue, taskID(work(1)))
			return errors.Is(err, asynq.ErrTaskNotFound)
		})
		check("handled", false)
	})
}

func TestNoMoreHandlersRunThanAllowed(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		o.Pullers = 3
		q, box := open(t, o), newInbox()
		var running, most atomic.Int64
		all := works(60)
		enqueue(t, q, all...)
		serve(t, q, testQueue, 7, func(ctx context.Context, w jobs.Work) {
			n := running.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(5 * time.Millisecond)
			running.Add(-1)
			box.take(ctx, w)
		})
		box.await(t, all...)
		if most.Load() > 7 {
			t.Errorf("%d handlers ran at a time", most.Load())
		}
	})
}

func TestPullersShareTheConcurrency(t *testing.T) {
	for _, c := range []struct {
		pullers, concurrency int
		synced               bool
		want                 int
	}{
		{0, 64, false, 1}, {0, 64, true, 4}, {0, 8, true, 2}, {0, 1, true, 1}, {3, 64, false, 3}, {8, 5, true, 5},
	} {
		q := &Queue{pullers: c.pullers, synced: c.synced}
		n := q.pullersFor(c.concurrency)
		shares := make([]int, n)
		sum := 0
		for i := range shares {
			shares[i] = share(c.concurrency, i, n)
			sum += shares[i]
		}
		if n != c.want || sum != c.concurrency || slices.Min(shares) < 1 {
			t.Errorf("%+v: %d pullers with shares %v", c, n, shares)
		}
	}
}

func TestABlockedQueueDoesNotDelayAnother(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box, release := open(t, o), newInbox(), make(chan struct{})
		t.Cleanup(func() { close(release) })
		serve(t, q, "system-stuck", 2, func(context.Context, jobs.Work) { <-release })
		serve(t, q, testQueue, 2, box.take)
		for i := range 20 {
			stuck := work(i)
			stuck.Queue = "system-stuck"
			enqueue(t, q, stuck)
		}
		all := works(50)
		enqueue(t, q, all...)
		box.await(t, all...)
		if n, err := q.Depth(t.Context(), "system-stuck"); err != nil || n != 18 {
			t.Errorf("the stuck queue's depth is %d, %v; want 18", n, err)
		}
	})
}

func TestAPausedQueueKeepsItsWorkUntilItIsResumed(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box := open(t, o), newInbox()
		q.hold = time.Hour // so that only rings wake
		ctx := t.Context()
		serve(t, q, testQueue, 2, box.take)
		other := work(2)
		other.Queue = "system-other"
		serve(t, q, "system-other", 2, box.take)
		for range 2 { // twice is as once
			if err := q.Pause(ctx, testQueue); err != nil {
				t.Fatal(err)
			}
		}
		if paused, err := q.Paused(ctx, testQueue); err != nil || !paused {
			t.Fatalf("paused is %v, %v", paused, err)
		}
		enqueue(t, q, work(1), other)
		box.await(t, other)
		time.Sleep(50 * time.Millisecond)
		if waiting, err := q.Waiting(ctx, work(1)); err != nil || !waiting || box.count(work(1)) != 0 {
			t.Fatalf("the paused queue's work: waiting %v, %v, handed out %d times", waiting, err, box.count(work(1)))
		}
		for range 2 {
			if err := q.Resume(ctx, testQueue); err != nil {
				t.Fatal(err)
			}
		}
		box.await(t, work(1))
	})
}
