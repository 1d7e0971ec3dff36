package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/jobs"
)

// journal is a log that a test can read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// logger writes everything.
func (j *journal) logger() zerolog.Logger { return zerolog.New(j).Level(zerolog.TraceLevel) }

func TestAPanicIsLoggedWithoutItsTextAndTheWorkerGoesOn(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		var log journal
		o.Logger = log.logger()
		q, box := open(t, o), newInbox()
		serve(t, q, testQueue, 1, func(ctx context.Context, w jobs.Work) {
			switch w.ID {
			case work(1).ID:
				panic("the password is hunter2")
			case work(2).ID:
				panic(errors.New("bind failed for hunter2"))
			case work(3).ID:
				_ = []int{}[w.Generation]
			}
			box.take(ctx, w)
		})
		enqueue(t, q, works(5)[1:]...)
		box.await(t, work(4))
		text := log.String()
		if strings.Contains(text, "hunter2") {
			t.Error("the panic's text is in the log")
		}
		if n := strings.Count(text, "a handler panicked"); n != 3 {
			t.Errorf("%d panics are in the log, want 3", n)
		}
		for _, part := range []string{work(1).TaskID, "handler_test.go", "value of type string", "index out of range [1]"} {
			if !strings.Contains(text, part) {
				t.Errorf("the log lacks %q", part)
			}
		}
	})
}

func TestAStrangersWakeUpIsDropped(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		var log journal
		o.Logger = log.logger()
		q, box := open(t, o), newInbox()
		for _, data := range []string{"", "null", "{}", `{"work":7}`, "\x00\xff"} {
			_, err := q.enqueuer.Enqueue(asynq.NewTask("else", []byte(data)), asynq.Queue(q.prefix+":"+testQueue))
			if err != nil {
				t.Fatal(err)
			}
		}
		enqueue(t, q, work(1))
		serve(t, q, testQueue, 1, box.take)
		box.await(t, work(1))
		if n := strings.Count(log.String(), "not one of ours"); n != 5 {
			t.Errorf("%d of 5 are in the log", n)
		}
		if len(box.seen) != 1 {
			t.Errorf("handed out %v", box.seen)
		}
	})
}

func TestRedisHoldsIDsOnly(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q, taken, release := open(t, o), make(chan struct{}), make(chan struct{})
		enqueue(t, q, work(1), work(2))
		serve(t, q, testQueue, 1, func(_ context.Context, w jobs.Work) {
			if w.ID == work(1).ID {
				close(taken)
				<-release
			}
		})
		<-taken // one waits, one is with a worker
		defer close(release)
		for i := 1; i <= 2; i++ {
			info, err := q.inspector.GetTaskInfo(q.prefix+":"+testQueue, taskID(work(i)))
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(info.Payload, &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != 3 || got["work"] != work(i).ID || got["task"] != work(i).TaskID || got["generation"] != 1.0 {
				t.Errorf("the payload is %s", info.Payload)
			}
			if info.MaxRetry != 0 || info.Retention != 0 || info.Timeout != handlerLimit || len(info.Headers) != 0 {
				t.Errorf("asynq's own machinery is not off: %+v", info)
			}
		}
		// Whatever else is there is small: names, times, states.
		for key, value := range everything(t, q) {
			if len(value) > 600 {
				t.Errorf("%s holds %d bytes: %q", key, len(value), value)
			}
		}
	})
}

// everything gives all keys of the queue's Redis with all that they hold.
func everything(t *testing.T, q *Queue) map[string]string {
	t.Helper()
	ctx, all := t.Context(), map[string]string{}
	keys, err := q.client.Keys(ctx, "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys: %v, %v", keys, err)
	}
	for _, key := range keys {
		kind, err := q.client.Type(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if kind == "none" {
			continue // handled meanwhile
		}
		ask := map[string][]any{
			"string": {"get", key}, "hash": {"hgetall", key}, "list": {"lrange", key, 0, -1},
			"set": {"smembers", key}, "zset": {"zrange", key, 0, -1},
		}[kind]
		value, err := q.client.Do(ctx, ask...).Result()
		if err != nil {
			t.Fatalf("%s (%s): %v", key, kind, err)
		}
		text, err := json.Marshal(value)
		if err != nil {
			text = []byte("not text")
		}
		all[key] = string(text)
	}
	return all
}

func TestServeRefusesWhatCanNotWork(t *testing.T) {
	q := open(t, Options{URL: "embedded"})
	nothing := func(context.Context, jobs.Work) {}
	serve(t, q, testQueue, 1, nothing)
	for name, try := range map[string]func() (*Worker, error){
		"twice":          func() (*Worker, error) { return q.Serve(testQueue, 1, nothing) },
		"no concurrency": func() (*Worker, error) { return q.Serve("other", 0, nothing) },
		"no handler":     func() (*Worker, error) { return q.Serve("other", 1, nil) },
		"no name":        func() (*Worker, error) { return q.Serve("", 1, nothing) },
		"braces":         func() (*Worker, error) { return q.Serve("a{b}", 1, nothing) },
		"white space":    func() (*Worker, error) { return q.Serve("a b", 1, nothing) },
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, w := range map[string]jobs.Work{
		"no id": {TaskID: "t", Queue: "other"}, "no queue": {ID: "w", TaskID: "t"}, "line break": {ID: "w", TaskID: "t", Queue: "a\nb"},
	} {
		if err := q.Enqueue(t.Context(), w); err == nil {
			t.Errorf("enqueue, %s: no error", name)
		}
	}
}

func TestARemovedContextStopsAnEnqueue(t *testing.T) {
	engines(t, func(t *testing.T, o Options) {
		q := open(t, o)
		enqueue(t, q, work(1)) // the connection is there
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		cancel()
		if err := q.Enqueue(ctx, work(2)); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		enqueue(t, q, work(3)) // Redis is not taken for gone
	})
}
