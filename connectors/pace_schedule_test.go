package connectors

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// crowd gives the largest number of arrivals in any window of a length.
func crowd(arrivals []time.Time, window time.Duration) (most int) {
	slices.SortFunc(arrivals, time.Time.Compare)
	first := 0
	for i, at := range arrivals {
		for at.Sub(arrivals[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// visitor plays callers that come now and then, alone and in crowds, use their turns at any moment at which they are good,
// and are up to what is left of slack on their way.
func visitor(r *rand.Rand, take func(now time.Time, n int) []turn) (arrivals []time.Time) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for range 300 {
		switch r.IntN(4) {
		case 0:
			now = now.Add(time.Duration(r.Int64N(int64(3 * time.Second)))) // idle
		case 1:
			now = now.Add(time.Duration(r.Int64N(int64(50 * time.Millisecond))))
		}
		for _, one := range take(now, 1+r.IntN(60)) {
			if r.IntN(20) == 0 {
				continue // whoever it was for has left
			}
			used := one.from.Add(time.Duration(r.Int64N(int64(one.until.Sub(one.from)) + 1)))
			if used.After(now) && r.IntN(8) > 0 { // most often those who reserve wait for what they have
				now = used
			}
			arrivals = append(arrivals, used.Add(time.Duration(r.Int64N(int64(way)))))
		}
	}
	return arrivals
}

func TestNoWindowEverSeesMoreCallsThanTheRate(t *testing.T) {
	for _, rate := range []Rate{{1, time.Second}, {2, time.Second}, {7, time.Second}, {20, time.Second}, {500, time.Second}, {600, time.Minute},
		{100, time.Minute}, {5, time.Minute}, {3600, time.Hour}} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			most := int(math.Ceil(float64(rate.Count) / rate.Per.Seconds()))
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 1))
				var s schedule
				var slow throttle
				arrivals := visitor(r, func(now time.Time, n int) []turn {
					if r.IntN(50) == 0 {
						s.rest(now.Add(time.Duration(r.Int64N(int64(5 * time.Second)))))
					}
					if r.IntN(50) == 0 {
						slow.slow(now)
					}
					return s.take(now, stretch(rate.every(), slow.now(now)), rate.tolerance(), n)
				})
				if n := crowd(arrivals, time.Second); n > most {
					t.Fatalf("seed %d: %d calls in a second, at most %d are allowed", seed, n, most)
				}
				if n := crowd(arrivals, rate.Per); n > max(rate.Count, most) {
					t.Fatalf("seed %d: %d calls in %s, at most %d are allowed", seed, n, rate.Per, rate.Count)
				}
			}
		})
	}
}

// What the common book leaves to several replicas must not add up to more than the whole.
func TestSharesOfARateAddUpToNoMoreThanTheRate(t *testing.T) {
	for _, rate := range []Rate{{500, time.Second}, {20, time.Second}, {7, time.Second}} {
		for parts := 1; parts <= 7; parts++ {
			r := rand.New(rand.NewPCG(uint64(parts), 2))
			var all []time.Time
			for range parts {
				var s schedule
				all = append(all, visitor(r, func(now time.Time, n int) []turn { return s.take(now, inParts(rate.every(), parts), grace, n) })...)
			}
			if n := crowd(all, time.Second); n > rate.Count {
				t.Errorf("%v in %d parts: %d calls in a second", rate, parts, n)
			}
		}
	}
}

func TestAfterIdleTimeTurnsMayBeTakenEarlyAndArePaidForAfterwards(t *testing.T) {
	var s schedule
	every := Rate{20, time.Second}.every()
	began := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	if first := s.take(began, every, grace, 2); !first[0].from.Equal(began) || !first[1].from.Equal(began.Add(every)) {
		t.Errorf("a new schedule lends at once: %v", first)
	}
	now := began.Add(time.Minute)
	for i, one := range s.take(now, every, grace, 21) {
		if i < 20 && !one.from.Equal(now) || i == 20 && one.from.Sub(now) < time.Second {
			t.Errorf("turn %d after a minute of silence is after %s", i, one.from.Sub(now))
		}
	}
}

func TestRatesAreKeptPerSecondAndPerTheirOwnTime(t *testing.T) {
	for rate, want := range map[Rate]time.Duration{
		{}:                  0,
		{500, time.Second}:  2024 * time.Microsecond,
		{600, time.Minute}:  101200 * time.Microsecond,
		{1, time.Minute}:    time.Minute + 120*time.Millisecond,
		{100, time.Minute}:  601200 * time.Microsecond,
		{90, 2 * time.Hour}: 80*time.Second + 160*time.Millisecond,
	} {
		if got := rate.every(); got != want {
			t.Errorf("%v: a turn every %s, want %s", rate, got, want)
		}
	}
}

func TestThrottleFallsByAFactorAndRecoversByAndBy(t *testing.T) {
	var slow throttle
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	if slow.now(at) != 1 || !slow.slow(at) || slow.slow(at.Add(time.Second)) || slow.now(at) != 0.7 {
		t.Errorf("after a hint and another a second later the share is %g, want 0.7", slow.now(at))
	}
	if got := slow.now(at.Add(4 * time.Second)); math.Abs(got-0.9) > 1e-9 {
		t.Errorf("four seconds later the share is %g, want 0.9", got)
	}
	if got := slow.now(at.Add(time.Minute)); got != 1 {
		t.Errorf("a minute later the share is %g, want 1", got)
	}
	for range 100 {
		at = at.Add(slowEvery)
		slow.slow(at)
	}
	if got := slow.now(at); got < slowLeast || got > 0.25 {
		t.Errorf("under lasting hints the share is %g", got)
	}
}

func TestNoTurnIsBeforeTheEndOfAPause(t *testing.T) {
	var s schedule
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	every := Rate{20, time.Second}.every()
	s.take(now, every, grace, 1)
	now = now.Add(time.Minute)
	s.take(now, every, grace, 3) // of twenty that may be taken early
	end := now.Add(300 * time.Millisecond)
	s.rest(end)
	for _, one := range s.take(now.Add(time.Millisecond), every, grace, 20) {
		if one.from.Before(end) {
			t.Fatalf("a turn %s before the end of the pause", end.Sub(one.from))
		}
	}
}
