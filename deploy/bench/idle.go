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
			b.report.failed("idle "+v.name, err)
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
	got, err := s.single(ctx, b.samples)
	if err != nil {
		return s.explain(err)
	}
	what := "idle " + v.name + ": webhook → "
	for _, l := range []struct {
		name string
		took samples
	}{{"intent, the last event before the reset", got.intended}, {"reset sent, the intent being durable", got.reset}} {
		b.report.atMost(what+l.name+", p50", "ms", l.took.ms(0.5), aimIdleP50)
		b.report.atMost(what+l.name+", p99", "ms", l.took.ms(0.99), aimIdleP99)
	}
	b.report.tell(what+"first call of the system, p50", "ms", got.first.ms(0.5))
	b.report.tell(what+"202, p50", "ms", got.answer.ms(0.5))
	b.report.tell(what+"202, p99", "ms", got.answer.ms(0.99))
	what = "idle " + v.name + ": "
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

// alone is what single webhooks met, each counted from right before the request was written. All clocks are this machine's.
type alone struct {
	answer   samples // until the 202 was there
	first    samples // until the system was first called, to find the account
	intended samples // until the time of the intended event, whose commit comes before the reset
	reset    samples // until the reset was sent
}

// single sends webhooks one by one, with pauses, and reads afterwards from their histories what happened when.
func (s *stage) single(ctx context.Context, n int) (alone, error) {
	t, err := newTemplate(s.site.Listen, s.site.Source, s.site.Key)
	if err != nil {
		return alone{}, err
	}
	sender, err := t.dial(s.site.Listen)
	if err != nil {
		return alone{}, err
	}
	defer func() { _ = sender.conn.Close() }()
	var out alone
	began := map[string]time.Time{} // by task
	for range n {
		time.Sleep(idleLeast + rand.N(idleMost-idleLeast))
		status, body, at, took, err := sender.post(t.next.Add(1))
		if err != nil || status != http.StatusAccepted {
			return alone{}, fmt.Errorf("a single webhook was answered with HTTP %d: %s: %w", status, body, err)
		}
		var answer struct{ Tasks []harness.Accepted }
		if err := json.Unmarshal(body, &answer); err != nil || len(answer.Tasks) != 1 {
			return alone{}, fmt.Errorf("a single webhook was answered with %s: %w", body, err)
		}
		began[answer.Tasks[0].ID] = at
		out.answer = append(out.answer, took)
	}
	time.Sleep(idleSettle)
	for task, at := range began {
		if err := s.history(ctx, task, at, &out); err != nil {
			return alone{}, err
		}
	}
	return out, nil
}

// history adds what the history of one task tells.
func (s *stage) history(ctx context.Context, task string, began time.Time, into *alone) error {
	var history struct {
		Events []schemas.Event `json:"events"`
	}
	code, err := s.client.Get(ctx, "/v1/tasks/"+task+"/events", &history)
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("read the history of task %s: HTTP %d: %w", task, code, err)
	}
	found := 0
	add := func(to *samples, at time.Time) {
		*to = append(*to, at.Sub(began))
		found++
	}
	for _, e := range history.Events {
		if e.Type == schemas.EventIntended {
			add(&into.intended, e.At)
		}
		for _, step := range e.Steps {
			switch step.Name {
			case schemas.StepResolve:
				add(&into.first, step.At)
			case schemas.StepReset:
				add(&into.reset, step.At)
			}
		}
	}
	if found != 3 {
		return fmt.Errorf("task %s, sent to an idle resetd, was not worked on once within %s", task, idleSettle)
	}
	return nil
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
