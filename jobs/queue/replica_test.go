package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

// calls reads how often Redis ran a command out of its command statistics.
func calls(stats, command string) int {
	_, text, ok := strings.Cut(stats, "cmdstat_"+command+":calls=")
	n := 0
	if ok {
		_, _ = fmt.Sscan(strings.Split(text, ",")[0], &n) // 0 is then the answer
	}
	return n
}

func TestAnEnqueueWakesAnotherReplica(t *testing.T) {
	url := testserver.Redis(t).URL
	a, b, box := open(t, Options{URL: url}), open(t, Options{URL: url}), newInbox()
	b.hold = time.Hour // so that only rings wake
	serve(t, b, testQueue, 4, box.take)
	awaitSubscribers(t, a, 2)
	for i := range 5 {
		time.Sleep(20 * time.Millisecond) // the worker holds again
		enqueue(t, a, work(i))
		box.await(t, work(i))
	}
	if err := a.Pause(t.Context(), testQueue); err != nil {
		t.Fatal(err)
	}
	enqueue(t, a, work(9))
	if err := a.Resume(t.Context(), testQueue); err != nil {
		t.Fatal(err)
	}
	box.await(t, work(9))
}

// awaitSubscribers waits until so many queues listen for rings.
func awaitSubscribers(t *testing.T, q *Queue, want int64) {
	t.Helper()
	eventually(t, "the replicas listen", func() bool {
		n, err := q.client.PubSubNumSub(t.Context(), q.herald.channel).Result()
		return err == nil && n[q.herald.channel] == want
	})
}

func TestALostRingCostsASecondAtMost(t *testing.T) {
	url := testserver.Redis(t).URL
	a, b, box := open(t, Options{URL: url}), open(t, Options{URL: url}), newInbox()
	serve(t, b, testQueue, 4, box.take)
	time.Sleep(50 * time.Millisecond) // the worker holds
	l, err := a.lane(testQueue)
	if err != nil {
		t.Fatal(err)
	}
	if put, err := a.put(t.Context(), l, work(1)); err != nil || !put { // what Enqueue does before it rings
		t.Fatalf("put %v, %v", put, err)
	}
	box.await(t, work(1))
}

func TestThousandsOfEnqueuesMakeFewMessages(t *testing.T) {
	q := open(t, Options{URL: testserver.Redis(t).URL})
	enqueueMany(t, q, works(2000))
	stats, err := q.client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if n := calls(stats, "publish"); n == 0 || n > 1000 {
		t.Errorf("%d messages for 2000 enqueues", n)
	}
	if n := calls(stats, "sadd"); n > callers {
		t.Errorf("the queue's name was published %d times", n)
	}
}

func TestReplicasShareTheWork(t *testing.T) {
	url := testserver.Redis(t).URL
	a, b := open(t, Options{URL: url}), open(t, Options{URL: url})
	box, boxB := newInbox(), newInbox()
	serve(t, b, testQueue, 4, func(ctx context.Context, w jobs.Work) {
		boxB.take(ctx, w)
		box.take(ctx, w)
	})
	serve(t, a, testQueue, 4, box.take)
	all := works(400)
	enqueueMany(t, a, all)
	box.await(t, all...)
	for _, w := range all {
		if n := box.count(w); n != 1 {
			t.Errorf("%s was handed out %d times", w.ID, n)
		}
	}
}

func TestPrefixesKeepInstallationsApart(t *testing.T) {
	url := testserver.Redis(t).URL
	a, b, box := open(t, Options{URL: url, Prefix: "one"}), open(t, Options{URL: url, Prefix: "two"}), newInbox()
	serve(t, b, testQueue, 1, box.take)
	enqueue(t, a, work(1))
	enqueue(t, b, work(2))
	box.await(t, work(2))
	if waiting, err := a.Waiting(t.Context(), work(1)); err != nil || !waiting || box.count(work(1)) != 0 {
		t.Errorf("the other installation's work: waiting %v, %v", waiting, err)
	}
	if waiting, err := b.Waiting(t.Context(), work(1)); err != nil || waiting {
		t.Errorf("seen by the other installation: %v, %v", waiting, err)
	}
}

func TestWorkersLookAgainWhenRedisIsBack(t *testing.T) {
	server := testserver.Redis(t, testserver.WithAppendFsync("always"))
	q, box := open(t, Options{URL: server.URL}), newInbox()
	q.hold = time.Hour // so that only rings wake
	serve(t, q, testQueue, 4, box.take)
	enqueue(t, q, work(1))
	box.await(t, work(1))
	time.Sleep(50 * time.Millisecond) // the workers hold again
	l, err := q.lane(testQueue)
	if err != nil {
		t.Fatal(err)
	}
	if put, err := q.put(t.Context(), l, work(2)); err != nil || !put { // what Enqueue does before it rings
		t.Fatalf("put %v, %v", put, err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Depth(t.Context(), testQueue); err == nil {
		t.Error("no error from a Redis that is gone")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	box.await(t, work(2))
}
