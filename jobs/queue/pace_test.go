package queue

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
)

// paceRate is the rate of the tests: 200 a second, with the distance between turns that keeps to it.
const (
	paceRate  = 200
	paceEvery = paceSpan / paceRate
)

// book opens a queue on a Redis and takes part in the common book without showing itself by itself.
func book(t *testing.T, url string) *Pace {
	t.Helper()
	p := newPace(open(t, Options{URL: url}))
	if err := p.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func turns(t *testing.T, p *Pace, system string, n int) [][2]time.Time {
	t.Helper()
	got, _, _, err := p.Turns(t.Context(), system, paceEvery, n)
	if err != nil || len(got) != n {
		t.Fatalf("%d turns, %v; want %d", len(got), err, n)
	}
	return got
}

// mostIn gives the largest number of moments in any second.
func mostIn(at []time.Time) (most int) {
	slices.SortFunc(at, time.Time.Compare)
	for first, last := 0, 0; last < len(at); last++ {
		for at[last].Sub(at[first]) >= time.Second {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// spend reserves turns as a busy replica does, for a time, and gives moments at which they may be used:
// up to eight milliseconds after their places.
func spend(t *testing.T, p *Pace, system string, d time.Duration) (used []time.Time, asked int) {
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	for end := time.Now().Add(d); time.Now().Before(end); asked++ {
		got := turns(t, p, system, 1+r.IntN(20))
		for _, one := range got {
			good := one[1].Sub(one[0]) + 8*time.Millisecond
			used = append(used, one[0].Add(time.Duration(r.Int64N(int64(good)))))
		}
		time.Sleep(time.Until(got[len(got)-1][0].Add(-50 * time.Millisecond)))
	}
	return used, asked
}

func TestReplicasShareARateAndUseItUp(t *testing.T) {
	server := testserver.Redis(t)
	var mu sync.Mutex
	var all []time.Time
	var group sync.WaitGroup
	asks := 0
	const lasting = 4 * time.Second
	for range 3 {
		p := book(t, server.URL)
		group.Go(func() {
			used, asked := spend(t, p, "okta", lasting)
			mu.Lock()
			defer mu.Unlock()
			all, asks = append(all, used...), asks+asked
		})
	}
	group.Wait()
	if n := mostIn(all); n > paceRate {
		t.Errorf("%d turns in a second, at most %d are allowed", n, paceRate)
	}
	if n := float64(len(all)) / lasting.Seconds(); n < paceRate/2 { // a busy machine asks late
		t.Errorf("%.0f turns a second, want about %d", n, paceRate)
	}
	if asks > len(all)/5 {
		t.Errorf("%d questions for %d turns", asks, len(all))
	}
}

func TestTurnsMayBeTakenEarlyAfterASilenceAndArePaidFor(t *testing.T) {
	p := book(t, testserver.Redis(t).URL)
	used := []time.Time{turns(t, p, "okta", 1)[0][0]}
	time.Sleep(300 * time.Millisecond)
	early, least := 0, int(time.Since(used[0])/paceEvery)-2
	for _, one := range turns(t, p, "okta", 100) {
		if used = append(used, one[0]); !one[0].After(time.Now()) {
			early++
		}
	}
	if most := int(time.Since(used[0])/paceEvery) + 2; early < min(least, 100) || early > most {
		t.Errorf("%d turns at once after a silence that had room for %d to %d", early, least, most)
	}
	more, _ := spend(t, p, "okta", time.Second)
	if n := mostIn(append(used, more...)); n > paceRate {
		t.Errorf("%d turns in a second, at most %d are allowed", n, paceRate)
	}
}

func TestPausesAndSlowerPacesAreSharedPerSystem(t *testing.T) {
	server := testserver.Redis(t)
	a, b := book(t, server.URL), book(t, server.URL)
	if err := a.Hold(t.Context(), "okta", 5*time.Second, true); err != nil {
		t.Fatal(err)
	}
	got, share, held, err := b.Turns(t.Context(), "okta", paceEvery, 2)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(held); left < 2*time.Second || left > 5*time.Second {
		t.Errorf("the other replica knows a pause of %s, want 5 s", left)
	}
	if got[0][0].Before(held.Add(-time.Millisecond)) || share < 0.69 || share > 0.9 {
		t.Errorf("a turn %s before the end of the pause; share %g", held.Sub(got[0][0]), share)
	}
	if apart := got[1][0].Sub(got[0][0]); apart < paceEvery*11/10 {
		t.Errorf("at a share of %g turns are %s apart, %s at the whole", share, apart, paceEvery)
	}
	if _, _, held, _ := b.Turns(t.Context(), "okta", 0, 0); time.Until(held) < 2*time.Second {
		t.Error("a system without a rate does not learn of the pause")
	}
	if err := b.Hold(t.Context(), "okta", time.Second, false); err != nil {
		t.Fatal(err)
	}
	if _, _, held, _ := a.Turns(t.Context(), "okta", 0, 0); time.Until(held) < 2*time.Second {
		t.Error("a shorter pause took the place of a longer one")
	}
	if got, share, held, err := b.Turns(t.Context(), "ad", paceEvery, 1); err != nil || share != 1 || !held.IsZero() || time.Until(got[0][0]) > time.Second {
		t.Errorf("another system is held too: share %g, held %v, turn in %s, %v", share, held, time.Until(got[0][0]), err)
	}
}

// lately sets when a replica was last seen.
func lately(t *testing.T, p *Pace, ago time.Duration) {
	t.Helper()
	now, err := p.q.client.Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.q.client.Do(t.Context(), "zadd", p.tag+"members", now.Add(-ago).UnixMicro(), p.q.id).Err(); err != nil {
		t.Fatal(err)
	}
}

func apart(t *testing.T, p *Pace) time.Duration {
	t.Helper()
	turns(t, p, "okta", 300) // what may be taken early
	got := turns(t, p, "okta", 2)
	return got[1][0].Sub(got[0][0])
}

func TestShareOfAReplicaThatIsOutOfSightIsLeftToIt(t *testing.T) {
	server := testserver.Redis(t)
	a, b := book(t, server.URL), book(t, server.URL)
	near := func(d, want time.Duration) bool { return d > want-time.Microsecond*5 && d < want+time.Microsecond*5 }
	if d := apart(t, a); !near(d, paceEvery) {
		t.Errorf("with both there turns are %s apart, want %s", d, paceEvery)
	}
	lately(t, b, memberAbsent+time.Second)
	if d := apart(t, a); !near(d, 2*paceEvery) {
		t.Errorf("with one out of sight turns are %s apart, want %s", d, 2*paceEvery)
	}
	lately(t, b, memberGone+time.Second)
	if d := apart(t, a); !near(d, paceEvery) {
		t.Errorf("with one gone turns are %s apart, want %s", d, paceEvery)
	}
}

func TestWithoutRedisARateIsDividedAndAfterwardsNothingIsTakenTwice(t *testing.T) {
	server := testserver.Redis(t)
	a, b := book(t, server.URL), book(t, server.URL)
	if err := a.beat(t.Context()); err != nil { // now it knows b
		t.Fatal(err)
	}
	turns(t, a, "okta", 1)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := a.Turns(t.Context(), "okta", paceEvery, 1); err == nil {
		t.Fatal("turns without Redis")
	}
	from, shares := a.Alone()
	if left := time.Until(from); shares != 2 || left > aloneAfter || left < aloneAfter-2*time.Second {
		t.Errorf("alone in %s with %d shares, want %s and 2", left, shares, aloneAfter)
	}
	time.Sleep(time.Until(from) + 10*time.Millisecond)
	if err := server.Restart(); err != nil { // it has forgotten everything
		t.Fatal(err)
	}
	var got [][2]time.Time
	eventually(t, "turns again", func() (ok bool) {
		var err error
		got, _, _, err = a.Turns(t.Context(), "okta", paceEvery, 2)
		return err == nil
	})
	if wait := time.Until(got[0][0]); wait < 900*time.Millisecond {
		t.Errorf("the first turn afterwards is in %s; what we took by our own share is not a second ago", wait)
	}
	if d := got[1][0].Sub(got[0][0]); d < 2*paceEvery-time.Microsecond {
		t.Errorf("turns are %s apart although the other may still go by its own share", d)
	}
	if err := b.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := apart(t, a); d > paceEvery+time.Microsecond*5 {
		t.Errorf("with both back turns are %s apart", d)
	}
}

func TestRedisThatHangsKeepsNobodyLongerThanItsContext(t *testing.T) {
	server := testserver.Redis(t)
	p := book(t, server.URL)
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Resume() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, _, _, err := p.Turns(ctx, "okta", paceEvery, 1); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("the error is %v after %s", err, time.Since(began))
	}
}

func TestReplicaThatLeavesInOrderLeavesItsShareToTheOthers(t *testing.T) {
	server := testserver.Redis(t)
	a := book(t, server.URL)
	q, err := Open(t.Context(), Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	q.Pace(t.Context())
	if err := a.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, shares := a.Alone(); shares != 2 {
		t.Errorf("%d shares with two replicas", shares)
	}
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, shares := a.Alone(); shares != 1 {
		t.Errorf("%d shares with one replica", shares)
	}
	if open(t, Options{URL: "embedded"}).Pace(t.Context()) != nil {
		t.Error("the embedded queue has a common book")
	}
}

func TestClockOfRedisIsFollowedThroughSlowAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	began := time.Now()
	c := clock{began: began}
	const differs = 1_700_000_000 * time.Second
	shift := time.Duration(0)
	for i := range 1000 {
		sent := began.Add(time.Duration(i) * 50 * time.Millisecond)
		there, back := time.Duration(r.Int64N(int64(300*time.Microsecond))), time.Duration(r.Int64N(int64(300*time.Microsecond)))
		if r.IntN(10) == 0 {
			back += time.Duration(r.Int64N(int64(200 * time.Millisecond)))
		}
		if i == 500 {
			shift = -time.Hour // somebody sets it
		}
		at := sent.Add(there)
		shows := differs + shift + at.Sub(began)
		c.read(shows, sent, at.Add(back))
		if i < 30 || i >= 500 && i < 530 {
			continue
		}
		if off := c.local(shows).Sub(at).Abs(); off > 400*time.Microsecond {
			t.Fatalf("reading %d: off by %s", i, off)
		}
	}
}
