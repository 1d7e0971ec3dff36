package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

func testAsynqLog(j *journal, quiet *bool) *asynqLog {
	return &asynqLog{
		log: j.logger(), hide: hide(schemas.NewSecret("hunter2/x")), quiet: func() bool { return *quiet }, kinds: map[string]*logged{},
	}
}

func TestAsynqsMessagesAreSaidInOurWordsOnce(t *testing.T) {
	var out journal
	quiet := false
	log := testAsynqLog(&out, &quiet)
	for i := range 100 {
		log.Warn(fmt.Sprintf("Could not remove task id=%d type=%q from %q err: NOT FOUND; Will retry syncing", i, "x", "y"))
		log.Error("Dequeue error: INTERNAL: redis eval error: MISCONF")
		log.Warn("something that nobody has thought of, with hunter2/x and hunter2%2Fx")
	}
	log.Debug("never seen")
	log.Info("never seen")
	log.Fatal("Failed to write server state data: x") // must not end the process
	quiet = true
	log.Error("Failed to extend lease for tasks [a b]: x")

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []struct{ level, part string }{
		{"info", "the ledger has the result"}, {"error", "redis refuses"}, {"warn", "[redacted] and [redacted]"}, {"warn", "sign of life"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
	}
	for i, line := range lines {
		var got struct{ Level, Message, Asynq string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got.Level != want[i].level || !strings.Contains(line, want[i].part) || got.Asynq == "" {
			t.Errorf("line %d is %s, want level %s and %q", i, line, want[i].level, want[i].part)
		}
	}
}

func TestTheNextMessageSaysHowManyWereSwallowed(t *testing.T) {
	var out journal
	quiet := false
	log := testAsynqLog(&out, &quiet)
	for range 5 {
		log.Error("Dequeue error: x")
	}
	for _, kind := range log.kinds {
		kind.last = kind.last.Add(-logEvery)
	}
	log.Error("Dequeue error: x")
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, `"more_like_it":4`) {
		t.Errorf("the log is:\n%s", text)
	}
}

func TestThePasswordIsNowhere(t *testing.T) {
	server := testserver.Redis(t)
	var out journal
	var told strings.Builder
	note := func(err error) {
		if err == nil {
			t.Error("no error")
			return
		}
		fmt.Fprintf(&told, "%v %+v %#v\n", err, err, err)
	}
	q := open(t, Options{URL: server.URL, Logger: out.logger()})
	serve(t, q, testQueue, 4, func(context.Context, jobs.Work) { panic(server.Password) })
	enqueue(t, q, works(10)...)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		note(q.Enqueue(t.Context(), work(20+i)))
		_, err := q.Depth(t.Context(), testQueue)
		note(err)
		note(q.Pause(t.Context(), testQueue))
		_, err = q.Tidy(t.Context())
		note(err)
		time.Sleep(50 * time.Millisecond)
	}
	_, err := Open(t.Context(), Options{URL: server.URL, Logger: out.logger()})
	note(err)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "enqueue works again", func() bool { return q.Enqueue(t.Context(), work(1)) == nil })
	for key, value := range everything(t, q) {
		told.WriteString(key + value)
	}
	fmt.Fprintf(&told, "%v %+v", q, q.at)
	if len(told.String()) < 1000 || !strings.Contains(out.String(), "a handler panicked") {
		t.Fatal("the test has collected too little")
	}
	if strings.Contains(out.String(), server.Password) {
		t.Error("the password is in the log")
	}
	if strings.Contains(told.String(), server.Password) {
		t.Error("the password is in an error, in Redis, or in what a queue shows of itself")
	}
}

func TestRedactionKnowsTheEncodedForms(t *testing.T) {
	r := hide(schemas.NewSecret("a b/c"), schemas.Secret{}, schemas.NewSecret(""))
	if got := r.text("x a b/c a+b%2Fc a%20b%2Fc y"); got != "x [redacted] [redacted] [redacted] y" {
		t.Errorf("got %q", got)
	}
	plain := fmt.Errorf("plain: %w", ErrDown)
	if r.error(plain) != plain || r.error(nil) != nil {
		t.Error("an error without a secret is not kept as it is")
	}
	if got := r.error(fmt.Errorf("dial: %w", fmt.Errorf("a b/c"))); strings.Contains(fmt.Sprintf("%#v %v", got, got), "a b/c") {
		t.Errorf("the secret is still in %#v", got)
	}
}
