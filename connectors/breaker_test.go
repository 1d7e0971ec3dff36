package connectors_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// outage is a system that does not answer while it is down.
type outage struct {
	diary
	down atomic.Bool
}

func newOutage() *outage {
	o := &outage{}
	o.answer = func(int) error {
		if o.down.Load() {
			return schemas.Fail(schemas.CodeUnavailable, "connection refused")
		}
		return nil
	}
	return o
}

func TestSystemThatDoesNotAnswerIsNotCalledUntilAProbeSucceeds(t *testing.T) {
	o := newOutage()
	o.down.Store(true)
	bubble(t, o, nil, func(t *testing.T, r room) {
		began := time.Now()
		for range 20 {
			_, err := r.resolve(t.Context())
			wantCode(t, "while it is down", err, schemas.CodeUnavailable)
		}
		if n := len(o.times()); n != 5 {
			t.Errorf("%d calls before the breaker opened, want 5", n)
		}
		_, err := r.Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
		f, _ := errors.AsType[*schemas.Failure](err)
		if f == nil || f.Code != schemas.CodeUnavailable || f.RetryAfter <= 0 || !strings.Contains(f.Detail, "nothing was sent") || len(o.times()) != 5 {
			t.Errorf("a reset meanwhile: %+v after %d calls", f, len(o.times()))
		}
		if info := r.Systems()[0]; info.State != connectors.StateOpen || !info.Since.Equal(began) || !info.Until.After(began) || info.Reason == "" {
			t.Errorf("it shows %+v", info.Condition)
		}
		if _, silent := r.Held("corp"); !silent {
			t.Error("nobody is told to hold work back")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		probes := o.times()[5:]
		if n := len(probes); n < 10 || n > 20 {
			t.Errorf("%d probes in ten minutes", n)
		}
		for i, step := range o.made()[5:] {
			if step != "probe" {
				t.Errorf("trial %d was a %s", i, step)
			}
		}
		if first, last := probes[1].Sub(probes[0]), probes[len(probes)-1].Sub(probes[len(probes)-2]); first > 3*time.Second || last < 50*time.Second {
			t.Errorf("the pauses between probes grow from %s to %s", first, last)
		}
		o.down.Store(false)
		time.Sleep(61 * time.Second)
		if info := r.Systems()[0]; info.State != connectors.StateClosed || !info.Until.IsZero() {
			t.Errorf("after it came back it shows %+v", info.Condition)
		}
		if _, err := r.resolve(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if log := r.log.String(); !strings.Contains(log, "does not answer") || !strings.Contains(log, "answers again") {
			t.Errorf("the log does not tell both changes: %s", log)
		}
	})
}

func TestAnswersAboutAccountsAndLostChangesDoNotOpenTheBreaker(t *testing.T) {
	for name, code := range map[string]schemas.Code{"not found": schemas.CodeAccountNotFound, "forbidden": schemas.CodePermissionMissing,
		"lost": schemas.CodeTimedOut, "not understood": schemas.CodeUnexpected} {
		d := &diary{answer: func(int) error { return schemas.Fail(code, "x") }}
		bubble(t, d, nil, func(t *testing.T, r room) {
			for range 20 {
				_, err := r.Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
				wantCode(t, name, err, code)
			}
			if n := len(d.times()); n != 20 {
				t.Errorf("%s: %d calls came through, want 20", name, n)
			}
		})
	}
}

func TestSystemThatHangsOpensTheBreakerAndOneAnswerBetweenDoesNot(t *testing.T) {
	d := &diary{}
	d.answer = func(n int) error {
		if n%5 == 0 {
			return schemas.Fail(schemas.CodeAccountNotFound, "nobody")
		}
		return schemas.Fail(schemas.CodeTimedOut, "no answer")
	}
	bubble(t, d, nil, func(t *testing.T, r room) {
		for range 50 {
			_, _ = r.resolve(t.Context())
		}
		if n := len(d.times()); n != 50 {
			t.Errorf("%d calls came through, want 50", n)
		}
		d.answer = func(int) error { return schemas.Fail(schemas.CodeTimedOut, "no answer") }
		for range 50 {
			_, _ = r.resolve(t.Context())
		}
		if n := len(d.times()); n != 55 {
			t.Errorf("%d calls came through, want 55", n)
		}
	})
}

func TestCallersWhoGiveUpSayNothingAboutASystem(t *testing.T) {
	c := &scripted{resolve: func(ctx context.Context) (schemas.Identity, error) {
		<-ctx.Done()
		return schemas.Identity{}, ctx.Err()
	}}
	bubble(t, c, nil, func(t *testing.T, r room) {
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = r.resolve(ctx)
			cancel()
		}
		if state := r.Systems()[0].State; state != connectors.StateClosed {
			t.Errorf("it is %s", state)
		}
	})
}

// A check that a person asks for goes through, and may be what finds the system back.
func TestProbeThatSomebodyAsksForClosesTheBreaker(t *testing.T) {
	o := newOutage()
	o.down.Store(true)
	bubble(t, o, nil, func(t *testing.T, r room) {
		for range 5 {
			_, _ = r.resolve(t.Context())
		}
		time.Sleep(2 * time.Minute)
		o.down.Store(false)
		if _, err := r.Probe(t.Context(), "corp"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.resolve(t.Context()); err != nil {
			t.Error(err)
		}
		before := len(o.times())
		time.Sleep(5 * time.Minute)
		if n := len(o.times()); n != before {
			t.Errorf("%d trials although it is back", n-before)
		}
	})
}

func TestStatesAndPausesAreMetrics(t *testing.T) {
	o := newOutage()
	bubble(t, o, nil, func(t *testing.T, r room) {
		gauges := func() map[string]float64 {
			families, err := r.metrics.Gather()
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]float64{}
			for _, f := range families {
				for _, m := range f.GetMetric() {
					key := strings.TrimPrefix(f.GetName(), "resetd_system_")
					for _, l := range m.GetLabel() {
						if l.GetName() == "state" {
							key += "/" + l.GetValue()
						}
					}
					out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
			return out
		}
		if got := gauges(); got["state/closed"] != 1 || got["state/open"] != 0 || got["pause_seconds"] != 0 || got["pace_share"] != 1 {
			t.Errorf("at first: %v", got)
		}
		o.down.Store(true)
		for range 5 {
			_, _ = r.resolve(t.Context())
		}
		if got := gauges(); got["state/closed"] != 0 || got["state/open"] != 1 || got["pause_seconds"] != 1 {
			t.Errorf("while it is down: %v", got)
		}
		o.down.Store(false)
		time.Sleep(2 * time.Second)
		o.mu.Lock()
		o.answer = func(int) error { return busy(time.Minute) }
		o.mu.Unlock()
		_, _ = r.resolve(t.Context())
		if got := gauges(); got["state/paused"] != 1 || got["state/closed"] != 0 || got["pause_seconds"] != 60 || got["pauses_total"] != 1 || got["pace_share"] != 0.7 {
			t.Errorf("in a pause: %v", got)
		}
	})
}
