package connectors_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// diary notes when a system was called, and answers by a script.
type diary struct {
	scripted
	mu     sync.Mutex
	at     []time.Time
	steps  []string
	answer func(n int) error // of the n-th call, from 1
}

func (d *diary) note(step string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.steps = append(d.at, time.Now()), append(d.steps, step)
	if d.answer != nil {
		return d.answer(len(d.at))
	}
	return nil
}

func (d *diary) Probe(context.Context) (schemas.Capabilities, error) {
	return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}}, d.note("probe")
}

func (d *diary) Resolve(context.Context, schemas.Account) (schemas.Identity, error) {
	return schemas.Identity{ID: "1"}, d.note("resolve")
}

func (d *diary) Verify(context.Context, schemas.Identity, schemas.Evidence) (schemas.Proof, error) {
	return schemas.Proof{}, d.note("verify")
}

func (d *diary) Reset(context.Context, schemas.Identity, schemas.Mode) (schemas.Receipt, error) {
	return schemas.Receipt{Code: schemas.CodeOK}, d.note("reset")
}

func (d *diary) times() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.at)
}

func (d *diary) made() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.steps)
}

// most gives the largest number of calls in any second.
func (d *diary) most() (most int) {
	at := d.times()
	for first, last := 0, 0; last < len(at); last++ {
		for at[last].Sub(at[first]) >= time.Second {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

func busy(after time.Duration) error {
	f := schemas.Fail(schemas.CodeRateLimited, "slow down")
	f.RetryAfter = after
	return f
}

// bubble runs a test in time of its own, in which waiting costs nothing. The set is closed at its end.
func bubble(t *testing.T, c connectors.Connector, change func(*connectors.System, *connectors.Options), test func(t *testing.T, r room)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, c, change)
		defer func() { _ = r.Close() }()
		test(t, r)
	})
}

func rated(count int) func(*connectors.System, *connectors.Options) {
	return func(s *connectors.System, _ *connectors.Options) {
		s.Rate = connectors.Rate{Count: count, Per: time.Second}
	}
}

func TestManyCallersUseTheWholeRateAndNoMore(t *testing.T) {
	d := &diary{}
	bubble(t, d, rated(500), func(t *testing.T, r room) {
		began := time.Now()
		var all sync.WaitGroup
		for range 128 {
			all.Go(func() {
				for range 40 {
					if _, err := r.resolve(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		took, ideal := time.Since(began), 128*40*time.Second/500
		if n := d.most(); n > 500 || len(d.times()) != 128*40 {
			t.Errorf("%d calls in a second, %d in all", n, len(d.times()))
		}
		if took > ideal*102/100 {
			t.Errorf("it took %s, want at most %s", took, ideal*102/100)
		}
	})
}

func TestWhatWasBegunGoesFirst(t *testing.T) {
	d := &diary{}
	bubble(t, d, rated(1), func(t *testing.T, r room) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { _, _ = r.resolve(t.Context()) })
		}
		time.Sleep(1500 * time.Millisecond)
		began := time.Now()
		if _, err := r.Verify(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.Evidence{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("what was begun waited %s behind what was not", took)
		}
		all.Wait()
	})
}

func TestPauseThatASystemAsksForHoldsAllItsCallsAndNoOthers(t *testing.T) {
	throttled, other := &diary{}, &diary{}
	throttled.answer = func(n int) error {
		if n == 10 {
			return busy(8 * time.Second)
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		set, err := connectors.NewSet([]connectors.System{{Name: "okta", Connector: throttled}, {Name: "ad", Connector: other}}, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = set.Close() }()
		call := func(system string, times int) {
			for range times {
				if _, err := set.Resolve(t.Context(), system, schemas.Account{}); err != nil {
					t.Errorf("%s: %v", system, err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		began := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { call("okta", 20) })
		}
		all.Go(func() {
			call("ad", 100)
			if took := time.Since(began); took > 1100*time.Millisecond {
				t.Errorf("the other system's calls took %s", took)
			}
			if info := set.Systems()[0]; info.State != connectors.StatePaused || info.Reason == "" || info.Until.Sub(began) < 8*time.Second {
				t.Errorf("meanwhile the paused system shows %+v", info.Condition)
			}
			if until, silent := set.Held("okta"); silent || time.Until(until) < 6*time.Second {
				t.Errorf("held until %s, silent %t", until, silent)
			}
		})
		all.Wait()
		at := throttled.times()
		for i := range at[:len(at)-1] {
			if gap := at[i+1].Sub(at[i]); gap > time.Second && (gap < 7900*time.Millisecond || gap > 8100*time.Millisecond) {
				t.Errorf("between two calls are %s", gap)
			}
		}
		if n := len(at); n != 81 {
			t.Errorf("%d calls, want 80 and the one that was refused again", n)
		}
		if set.Systems()[0].State != connectors.StateClosed {
			t.Error("the pause is still shown")
		}
	})
}

func TestPauseThatIsTooLongToWaitForIsToldAtOnce(t *testing.T) {
	d := &diary{answer: func(n int) error {
		if n == 1 {
			return busy(7 * time.Minute)
		}
		return nil
	}}
	bubble(t, d, nil, func(t *testing.T, r room) {
		began := time.Now()
		for range 3 {
			_, err := r.resolve(t.Context())
			wantCode(t, "during the pause", err, schemas.CodeRateLimited)
			if f, _ := errors.AsType[*schemas.Failure](err); f == nil || f.RetryAfter != 7*time.Minute {
				t.Errorf("the failure does not tell the wait: %+v", f)
			}
		}
		if len(d.times()) != 1 || time.Since(began) > 0 {
			t.Errorf("%d calls in %s", len(d.times()), time.Since(began))
		}
		time.Sleep(7*time.Minute - time.Second)
		if _, err := r.resolve(t.Context()); err != nil {
			t.Errorf("shortly before the end of the pause: %v", err)
		}
	})
}

func TestSystemThatNamesNoPauseGetsLongerOnes(t *testing.T) {
	d := &diary{answer: func(int) error { return busy(0) }}
	bubble(t, d, nil, func(t *testing.T, r room) {
		var waits []time.Duration
		for range 4 {
			_, err := r.resolve(t.Context())
			f, _ := errors.AsType[*schemas.Failure](err)
			if f == nil || f.Code != schemas.CodeRateLimited {
				t.Fatalf("the error is %v", err)
			}
			waits = append(waits, f.RetryAfter)
			time.Sleep(f.RetryAfter)
		}
		if !slices.IsSorted(waits) || waits[0] < 4*time.Second || waits[3] != 30*time.Second {
			t.Errorf("the waits are %v", waits)
		}
	})
}

func TestHintsSlowASystemDownForAWhile(t *testing.T) {
	for name, rate := range map[string]int{"with a rate": 100, "without": 0} {
		t.Run(name, func(t *testing.T) {
			hints := &connectors.Hints{}
			d := &diary{}
			hints.Take(connectors.Hint{Used: 1}) // nobody is there yet
			bubble(t, d, func(s *connectors.System, _ *connectors.Options) {
				s.Rate, s.Hints = connectors.Rate{Count: rate, Per: time.Second}, hints
			}, func(t *testing.T, r room) {
				stop := make(chan struct{})
				var all sync.WaitGroup
				for range 10 {
					all.Go(func() {
						for {
							select {
							case <-stop:
								return
							case <-time.After(50 * time.Millisecond):
								_, _ = r.resolve(t.Context())
							}
						}
					})
				}
				second := func() int {
					before := len(d.times())
					time.Sleep(time.Second)
					return len(d.times()) - before
				}
				time.Sleep(5 * time.Second)
				whole := second()
				hints.Take(connectors.Hint{Used: 0.79})
				if n := second(); n < whole*90/100 {
					t.Errorf("a hint that is none slowed from %d to %d calls a second", whole, n)
				}
				hints.Take(connectors.Hint{Used: 0.9})
				slowed := second()
				if slowed > whole*85/100 || slowed < whole*50/100 || r.Systems()[0].Share > 0.8 {
					t.Errorf("%d calls a second after the hint, %d before; share %g", slowed, whole, r.Systems()[0].Share)
				}
				time.Sleep(10 * time.Second)
				if n := second(); n < whole*90/100 || r.Systems()[0].Share != 1 {
					t.Errorf("%d calls a second long after the hint, %d before; share %g", n, whole, r.Systems()[0].Share)
				}
				hints.Take(connectors.Hint{Pause: 2 * time.Second})
				time.Sleep(time.Millisecond)
				if before := len(d.times()); second() > 0 || r.Systems()[0].State != connectors.StatePaused {
					t.Errorf("called in a pause: %d calls before", before)
				}
				close(stop)
				all.Wait()
			})
		})
	}
}

func TestCallerThatLeavesTakesNoTurnWithIt(t *testing.T) {
	d := &diary{}
	bubble(t, d, rated(1), func(t *testing.T, r room) {
		_, _ = r.resolve(t.Context())
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				_, err := r.resolve(ctx)
				wantCode(t, "whoever leaves", err, schemas.CodeTimedOut)
			})
		}
		synctest.Wait()
		leave()
		all.Wait()
		began := time.Now()
		if _, err := r.resolve(t.Context()); err != nil || time.Since(began) > 1100*time.Millisecond {
			t.Errorf("after others have left: %v after %s", err, time.Since(began))
		}
	})
}

// At a turn a minute a whole reset takes minutes; its preflight must not give up its probe for that, again and again.
func TestPreflightWaitsForItsTurnHoweverSlowTheRate(t *testing.T) {
	d := &diary{}
	bubble(t, d, func(s *connectors.System, _ *connectors.Options) {
		s.Rate = connectors.Rate{Count: 1, Per: time.Minute}
	}, func(t *testing.T, r room) {
		if _, err := r.resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
			t.Errorf("a preflight at a turn a minute: %v", err)
		}
	})
}

// straggler is a system to which some calls take longer than others.
type straggler struct {
	diary
	calls atomic.Int32
}

func (s *straggler) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	if s.calls.Add(1)%7 == 0 {
		time.Sleep(25 * time.Millisecond)
	}
	return s.diary.Resolve(ctx, a)
}

func TestCallsThatLoseTimeOnTheirWayAreNotFollowedTooSoon(t *testing.T) {
	d := &straggler{}
	bubble(t, d, rated(100), func(t *testing.T, r room) {
		stop := crowdOf(t, r, 16)
		time.Sleep(30 * time.Second)
		stop()
		if n := d.most(); n > 100 {
			t.Errorf("%d calls in a second", n)
		}
		if n := len(d.times()); n < 2850 {
			t.Errorf("%d calls in 30 seconds at 100/s", n)
		}
	})
}
