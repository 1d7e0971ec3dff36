package queue

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

// victimURL makes the test binary a worker that is going to be killed.
const victimURL = "RESETD_TEST_QUEUE_VICTIM"

// TestVictim is no test: it is what TestAKilledWorkersWorkComesBack kills.
func TestVictim(t *testing.T) {
	url := os.Getenv(victimURL)
	if url == "" {
		return
	}
	q := open(t, Options{URL: url})
	serve(t, q, testQueue, 4, func(_ context.Context, w jobs.Work) {
		fmt.Println("taken", w.ID)
		select {}
	})
	select {}
}

func TestAKilledWorkersWorkComesBack(t *testing.T) {
	url := testserver.Redis(t).URL
	q := open(t, Options{URL: url})
	victim := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	victim.Env = append(os.Environ(), victimURL+"="+url)
	output, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, works(4)...)
	for range 4 {
		var word, id string
		if _, err := fmt.Fscan(output, &word, &id); err != nil || word != "taken" {
			t.Fatalf("the victim wrote %q %q: %v", word, id, err)
		}
	}
	// As long as it lives, its work is its own, however often the sweep asks.
	box := newInbox()
	serve(t, q, testQueue, 4, box.take)
	for range 5 {
		enqueue(t, q, works(4)...)
		time.Sleep(20 * time.Millisecond)
	}
	if n := box.count(work(0)); n != 0 {
		t.Errorf("the work of a living worker was handed out %d times more", n)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it was killed
	killed := time.Now()
	eventually(t, "the killed worker's work", func() bool {
		time.Sleep(200 * time.Millisecond) // the sweep's turn
		enqueue(t, q, works(4)...)
		return box.count(work(0)) > 0 && box.count(work(3)) > 0
	})
	box.await(t, works(4)...)
	t.Logf("back after %v", time.Since(killed).Round(10*time.Millisecond))
}

// leave brings a wake-up into the state in which a dead worker leaves it: on the active list with the given lease.
func leave(t *testing.T, q *Queue, w jobs.Work, lease time.Duration) *lane {
	t.Helper()
	l, err := q.lane(w.Queue)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, w)
	id, ctx := taskID(w), t.Context()
	for _, command := range [][]any{
		{"lrem", l.key("pending"), 0, id},
		{"lpush", l.key("active"), id},
		{"hset", l.taskKey(id), "state", "active"},
		{"hdel", l.taskKey(id), "pending_since"},
		{"zadd", l.key("lease"), time.Now().Add(lease).Unix(), id},
	} {
		if err := q.client.Do(ctx, command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestEnqueueTakesWorkFromTheDeadOnly(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, ctx := open(t, o), t.Context()
		waiting := func(w jobs.Work) bool {
			enqueue(t, q, w)
			waits, err := q.Waiting(ctx, w)
			if err != nil {
				t.Fatal(err)
			}
			return waits
		}
		do := func(command ...any) {
			t.Helper()
			if err := q.client.Do(ctx, command...).Err(); err != nil {
				t.Fatal(err)
			}
		}
		leave(t, q, work(1), 30*time.Second)
		if waiting(work(1)) {
			t.Error("taken from a worker that has just begun")
		}
		leave(t, q, work(2), 25*time.Second)
		if waiting(work(2)) {
			t.Error("taken from a worker whose next renewal is due")
		}
		leave(t, q, work(3), 20*time.Second)
		if !waiting(work(3)) {
			t.Error("not taken from a worker that missed a renewal")
		}
		leave(t, q, work(4), -time.Hour)
		if !waiting(work(4)) {
			t.Error("not taken after the lease")
		}
		l := leave(t, q, work(5), time.Minute)
		do("zrem", l.key("lease"), taskID(work(5)))
		if !waiting(work(5)) {
			t.Error("not taken without a lease")
		}
		leave(t, q, work(6), time.Minute)
		do("hdel", l.taskKey(taskID(work(6))), "msg")
		if !waiting(work(6)) {
			t.Error("not taken though the data is gone, so that asynq can not hand it out")
		}
		archive(t, q, work(7))
		if !waiting(work(7)) {
			t.Error("not taken out of the archive")
		}
		box := newInbox()
		serve(t, q, testQueue, 1, box.take)
		box.await(t, works(8)[3:]...)
		if n, err := q.client.ZCard(ctx, l.key("archived")).Result(); err != nil || n != 0 {
			t.Errorf("the archive holds %d, %v", n, err)
		}
	})
}

// archive brings a wake-up into the state in which asynq's recoverer leaves a dead worker's.
func archive(t *testing.T, q *Queue, w jobs.Work) {
	t.Helper()
	l := leave(t, q, w, -2*time.Minute)
	id, ctx := taskID(w), t.Context()
	for _, command := range [][]any{
		{"lrem", l.key("active"), 0, id},
		{"zrem", l.key("lease"), id},
		{"hset", l.taskKey(id), "state", "archived"},
		{"zadd", l.key("archived"), time.Now().Unix(), id},
	} {
		if err := q.client.Do(ctx, command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTidyRemovesRemainsAndNothingElse(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, ctx := open(t, o), t.Context()
		for i := range 3 {
			archive(t, q, work(i))
		}
		l := leave(t, q, work(3), -time.Hour) // limbo: the lease is long over
		leave(t, q, work(4), time.Minute)     // limbo: no lease
		if err := q.client.ZRem(ctx, l.key("lease"), taskID(work(4))).Err(); err != nil {
			t.Fatal(err)
		}
		leave(t, q, work(5), 20*time.Second)  // with a worker
		leave(t, q, work(6), -30*time.Second) // asynq will recover it
		enqueue(t, q, work(7))                // waits
		stale := redis.Z{Score: float64(time.Now().Add(-time.Hour).Unix()), Member: "asynq:servers:{gone:1:x}"}
		if err := q.client.ZAdd(ctx, keyServers, stale).Err(); err != nil {
			t.Fatal(err)
		}
		// asynq publishes a queue's name once; Tidy must not depend on it.
		if err := q.client.Del(ctx, keyQueues).Err(); err != nil {
			t.Fatal(err)
		}
		if n, err := q.Tidy(ctx); err != nil || n != 5 {
			t.Errorf("tidied %d, %v; want 5", n, err)
		}
		if n, err := q.Tidy(ctx); err != nil || n != 0 {
			t.Errorf("tidied %d more, %v", n, err)
		}
		keys, err := q.client.Keys(ctx, l.taskKey("*")).Result()
		if err != nil || len(keys) != 3 {
			t.Errorf("left are %v, %v; want the works 5, 6, 7", keys, err)
		}
		for i := 5; i <= 7; i++ {
			if !strings.Contains(fmt.Sprint(keys), taskID(work(i))) {
				t.Errorf("work %d is gone", i)
			}
		}
		if n, err := q.client.ZCard(ctx, keyServers).Result(); err != nil || n != 0 {
			t.Errorf("%d stale servers, %v", n, err)
		}
	})
}

func TestTidyLeavesOthersAlone(t *testing.T) {
	url := testserver.Redis(t).URL
	q, other := open(t, Options{URL: url}), open(t, Options{URL: url, Prefix: "other"})
	archive(t, other, work(1))
	archive(t, q, work(1))
	if n, err := q.Tidy(t.Context()); err != nil || n != 1 {
		t.Errorf("tidied %d, %v; want 1", n, err)
	}
	if n, err := other.Tidy(t.Context()); err != nil || n != 1 {
		t.Errorf("the other tidied %d, %v; want 1", n, err)
	}
}
