package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/schemas"
)

// The aims for a resetd that has nothing else to do.
const (
	aimIdleP50 = 5   // ms
	aimIdleP99 = 25  // ms
	aimIdleCPU = 0.3 // % of one processor
)

const (
	idleLeast  = 100 * time.Millisecond // between two webhooks
	idleMost   = 250 * time.Millisecond
	idleSettle = 3 * time.Second
	idleQuiet  = 20 * time.Second
)

// idle measures how soon a single webhook reaches the system, and then what resetd uses while nothing comes.
func (b *bench) idle(ctx context.Context) error {
	for _, v := range b.chosen(embedded, redisAlways) {
		if err := b.idleRun(ctx, v); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return nil
}

func (b *bench) idleRun(ctx context.Context, v variant) error {
	if err := b.calm(ctx); err != nil {
		return err
	}
	s, err := b.set(ctx, v)
	if err != nil {
		return err
	}
	defer s.end()
	toCall, toAnswer, err := s.single(ctx, b.samples)
	if err != nil {
		return s.explain(err)
	}
	what := "idle " + v.name + ": "
	b.report.atMost(what+"webhook → system, p50", "ms", toCall.ms(0.5), aimIdleP50)
	b.report.atMost(what+"webhook → system, p99", "ms", toCall.ms(0.99), aimIdleP99)
	b.report.tell(what+"webhook → 202, p50", "ms", toAnswer.ms(0.5))
	b.report.tell(what+"webhook → 202, p99", "ms", toAnswer.ms(0.99))
	time.Sleep(idleSettle)
	used, err := quiet(s.process.PID(), idleQuiet)
	if err != nil {
		return err
	}
	b.report.atMost(what+"processor use", "% of one", used, aimIdleCPU)
	if s.redis == nil {
		return nil
	}
	if used, err = quiet(s.redisPID, idleQuiet/2); err != nil {
		return err
	}
	b.report.tell(what+"processor use of redis-server", "% of one", used)
	return nil
}

// single sends webhooks one by one, with pauses. For each it gives the time from right before the request was written
// until the intent was recorded, which is the last thing before the call of the system, and until the answer was there.
// Both clocks are this machine's.
func (s *stage) single(ctx context.Context, n int) (toCall, toAnswer samples, err error) {
	t, err := newTemplate(s.site.Listen, s.site.Source, s.site.Key)
	if err != nil {
		return nil, nil, err
	}
	sender, err := t.dial(s.site.Listen)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = sender.conn.Close() }()
	type sent struct {
		task string
		at   time.Time
	}
	var all []sent
	for range n {
		time.Sleep(idleLeast + rand.N(idleMost-idleLeast))
		status, body, began, took, err := sender.post(t.next.Add(1))
		if err != nil || status != http.StatusAccepted {
			return nil, nil, fmt.Errorf("a single webhook was answered with HTTP %d: %s: %w", status, body, err)
		}
		var answer struct{ Tasks []harness.Accepted }
		if err := json.Unmarshal(body, &answer); err != nil || len(answer.Tasks) != 1 {
			return nil, nil, fmt.Errorf("a single webhook was answered with %s: %w", body, err)
		}
		all = append(all, sent{answer.Tasks[0].ID, began})
		toAnswer = append(toAnswer, took)
	}
	time.Sleep(idleSettle)
	for _, one := range all {
		at, err := s.intended(ctx, one.task)
		if err != nil {
			return nil, nil, err
		}
		toCall = append(toCall, at.Sub(one.at))
	}
	return toCall, toAnswer, nil
}

// intended gives when a task's intent was recorded.
func (s *stage) intended(ctx context.Context, task string) (time.Time, error) {
	var history struct {
		Events []schemas.Event `json:"events"`
	}
	code, err := s.client.Get(ctx, "/v1/tasks/"+task+"/events", &history)
	if err != nil || code != http.StatusOK {
		return time.Time{}, fmt.Errorf("read the history of task %s: HTTP %d: %w", task, code, err)
	}
	for _, e := range history.Events {
		if e.Type == schemas.EventIntended {
			return e.At, nil
		}
	}
	return time.Time{}, fmt.Errorf("task %s, sent to an idle resetd, did not reach the system within %s", task, idleSettle)
}

// quiet gives the use of a process over a time in percent of one processor.
func quiet(pid int, long time.Duration) (float64, error) {
	before, err := harness.ThreadsOf(pid)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	time.Sleep(long)
	after, err := harness.ThreadsOf(pid)
	if err != nil {
		return 0, err
	}
	return 100 * float64(after.Since(before)) / float64(time.Since(began)), nil
}
