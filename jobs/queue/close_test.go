package queue

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

func TestClosingAnIdleQueueIsQuickAndLeavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		before := runtime.NumGoroutine()
		q, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		q.hold = time.Hour // the workers wait for a ring when Close comes
		for _, queue := range []string{testQueue, "system-b", "callback"} {
			serve(t, q, queue, 8, func(context.Context, jobs.Work) {})
		}
		enqueue(t, q, work(1))
		time.Sleep(50 * time.Millisecond)
		begin := time.Now()
		for range 2 { // twice is as once
			if err := q.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		took := time.Since(begin)
		t.Logf("closed in %v", took)
		if took > 5*time.Second {
			t.Errorf("closing took %v", took)
		}
		eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func TestAClosedQueueSaysSo(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, ctx := open(t, o), t.Context()
		enqueue(t, q, work(1))
		if err := q.Close(ctx); err != nil {
			t.Fatal(err)
		}
		_, waitingErr := q.Waiting(ctx, work(1))
		_, depthErr := q.Depth(ctx, testQueue)
		_, serveErr := q.Serve(testQueue, 1, func(context.Context, jobs.Work) {})
		_, tidyErr := q.Tidy(ctx)
		for name, err := range map[string]error{
			"enqueue": q.Enqueue(ctx, work(2)), "waiting": waitingErr,
			"depth": depthErr, "serve": serveErr, "pause": q.Pause(ctx, testQueue), "tidy": tidyErr,
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s gives %v", name, err)
			}
		}
	})
}

func TestCloseWaitsForHandlers(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, taken, finished := open(t, o), make(chan struct{}), make(chan struct{})
		serve(t, q, testQueue, 2, func(ctx context.Context, _ jobs.Work) {
			close(taken)
			time.Sleep(300 * time.Millisecond)
			if ctx.Err() != nil {
				t.Error("the handler's context ended before its time")
			}
			close(finished)
		})
		enqueue(t, q, work(1))
		<-taken
		enqueue(t, q, work(2)) // not taken any more, or else close(taken) panics
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-finished:
		default:
			t.Error("closed before the handler had finished")
		}
	})
}

func TestCloseInterruptsHandlersWhenTheTimeIsOver(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, taken := open(t, o), make(chan struct{})
		serve(t, q, testQueue, 1, func(ctx context.Context, _ jobs.Work) {
			close(taken)
			<-ctx.Done()
		})
		enqueue(t, q, work(1))
		<-taken
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := q.Close(ctx); err != nil {
			t.Errorf("a handler that obeys its context is no error: %v", err)
		}
	})
}

func TestCloseLeavesAHandlerBehindThatDoesNotReturn(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, taken, release := open(t, o), make(chan struct{}), make(chan struct{})
		defer close(release)
		serve(t, q, testQueue, 1, func(context.Context, jobs.Work) {
			close(taken)
			<-release
		})
		enqueue(t, q, work(1))
		<-taken
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := q.Close(ctx)
		if err == nil || !strings.Contains(err.Error(), "1 handlers") || !strings.Contains(err.Error(), testQueue) {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

func TestAWorkerCanBeClosedAndServedAnew(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, box := open(t, o), newInbox()
		w := serve(t, q, testQueue, 2, box.take)
		enqueue(t, q, work(1))
		box.await(t, work(1))
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, q, work(2))
		time.Sleep(20 * time.Millisecond)
		if box.count(work(2)) != 0 {
			t.Error("a closed worker took work")
		}
		serve(t, q, testQueue, 2, box.take)
		box.await(t, work(2))
	})
}

func TestClosingDoesNotHangOnARedisThatIsGone(t *testing.T) {
	for name, harm := range map[string]func(*testserver.RedisServer) error{
		"killed": func(s *testserver.RedisServer) error { return s.Kill() },
		"hangs":  func(s *testserver.RedisServer) error { return s.Pause() },
	} {
		t.Run(name, func(t *testing.T) {
			server := testserver.Redis(t)
			q, err := Open(t.Context(), Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			for _, queue := range []string{testQueue, "system-b", "callback"} {
				serve(t, q, queue, 8, func(context.Context, jobs.Work) {})
			}
			if err := harm(server); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			if err := q.Close(ctx); err != nil {
				t.Error(err)
			}
			took := time.Since(begin)
			t.Logf("closed in %v", took)
			if took > 14*time.Second {
				t.Errorf("closing took %v", took)
			}
		})
	}
}
