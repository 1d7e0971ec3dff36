package queue

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

func TestAFlushLosesNothingThatIsEnqueuedAgain(t *testing.T) {
	server := testserver.Redis(t)
	q, box, release := open(t, Options{URL: server.URL}), newInbox(), make(chan struct{})
	q.hold = time.Hour // so that only rings wake
	serve(t, q, testQueue, 2, func(ctx context.Context, w jobs.Work) {
		box.take(ctx, w)
		if w.Generation == 1 {
			<-release
		}
	})
	all := works(10) // two are with workers, eight wait
	enqueue(t, q, all...)
	eventually(t, "both workers are busy", func() bool {
		n, err := q.Depth(t.Context(), testQueue)
		return err == nil && n == 8
	})
	if err := server.FlushAll(); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Depth(t.Context(), testQueue); err != nil || n != 0 {
		t.Fatalf("depth after the flush is %d, %v", n, err)
	}
	for i := range all {
		all[i].Generation = 2
	}
	enqueue(t, q, all...)
	close(release)
	box.await(t, all...)
}

func TestWorkersComeBackByThemselves(t *testing.T) {
	for _, policy := range []string{"off", "always"} {
		t.Run(policy, func(t *testing.T) {
			server := testserver.Redis(t, testserver.WithAppendFsync(policy))
			q, box := open(t, Options{URL: server.URL}), newInbox()
			serve(t, q, testQueue, 2, box.take)
			enqueue(t, q, work(1))
			box.await(t, work(1))
			if err := q.Pause(t.Context(), testQueue); err != nil {
				t.Fatal(err)
			}
			enqueue(t, q, work(2))
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond) // the worker meets a Redis that is gone
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "enqueue works again", func() bool { return q.Enqueue(t.Context(), work(3)) == nil })
			if waiting, err := q.Waiting(t.Context(), work(2)); err != nil || waiting != (policy == "always") {
				t.Errorf("after the restart the work waits: %v, %v", waiting, err)
			}
			if err := q.Resume(t.Context(), testQueue); err != nil {
				t.Fatal(err)
			}
			enqueue(t, q, work(2))
			box.await(t, work(2), work(3))
		})
	}
}

func TestARedisThatIsGoneFailsFastAndIsToldOnce(t *testing.T) {
	server := testserver.Redis(t)
	var log journal
	registry := prometheus.NewRegistry()
	q := open(t, Options{URL: server.URL, Logger: log.logger().Level(zerolog.InfoLevel), Registerer: registry})
	serve(t, q, testQueue, 4, func(context.Context, jobs.Work) {})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	var group sync.WaitGroup
	for i := range 500 {
		group.Go(func() {
			if err := q.Enqueue(t.Context(), work(i)); !errors.Is(err, ErrDown) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	group.Wait()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("500 callers were kept for %v", took)
	}
	eventually(t, "the metric", func() bool { return values(t, registry)["resetd_queue_redis_up"] == 0 })
	begin = time.Now()
	if _, err := q.Waiting(t.Context(), work(1)); !errors.Is(err, ErrDown) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("a Redis that is known to be gone kept the caller for %v", took)
	}
	time.Sleep(time.Second) // asynq's goroutines try as well
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the metric", func() bool { return values(t, registry)["resetd_queue_redis_up"] == 1 })
	text := log.String()
	if strings.Count(text, "redis does not answer") != 1 || strings.Count(text, "redis is back") != 1 {
		t.Errorf("want one line each about loss and return:\n%s", text)
	}
	if n := strings.Count(text, "\n"); n != 2 {
		t.Errorf("%d lines for one loss:\n%s", n, text)
	}
}

func TestARedisThatHangsKeepsNobodyLong(t *testing.T) {
	server := testserver.Redis(t)
	q, box := open(t, Options{URL: server.URL}), newInbox()
	serve(t, q, testQueue, 4, box.take)
	enqueue(t, q, work(0))
	box.await(t, work(0))
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	var group sync.WaitGroup
	for i := range 300 { // more than there are connections
		group.Go(func() {
			if err := q.Enqueue(t.Context(), work(i)); err == nil {
				t.Error("enqueued on a Redis that hangs")
			}
		})
	}
	group.Wait()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the callers were kept for %v", took)
	}
	begin = time.Now()
	if err := q.Enqueue(t.Context(), work(1)); !errors.Is(err, ErrDown) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("a Redis that is known to hang kept the caller for %v", took)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "enqueue works again", func() bool { return q.Enqueue(t.Context(), work(1)) == nil })
	box.await(t, work(1))
}

func TestARedisThatRefusesIsAskedPatiently(t *testing.T) {
	server := testserver.Redis(t)
	var log journal
	q, box := open(t, Options{URL: server.URL, Logger: log.logger()}), newInbox()
	q.hold = 10 * time.Millisecond
	serve(t, q, testQueue, 1, box.take)
	ctx := t.Context()
	// A wrong type makes every dequeue fail, as a full disk or a read-only replica would.
	l, err := q.lane(testQueue)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.client.Set(ctx, l.key("pending"), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	stats, err := q.client.Info(ctx, "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if n := calls(stats, "rpoplpush"); n == 0 || n > 60 {
		t.Errorf("asked %d times in a second", n)
	}
	if n := strings.Count(log.String(), "redis refuses to hand out work"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	if err := q.client.Del(ctx, l.key("pending")).Err(); err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, work(1))
	box.await(t, work(1))
}
