package callback

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestPostLeavesWorkersForOthersWhenAReceiverHangs(t *testing.T) {
	arrived, release := make(chan struct{}, PerEndpoint), make(chan struct{})
	dead := newReceiver(t, func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-release })
	alive := newReceiver(t, nil)
	p := mustNew(t, lab(dead.ca, dead.URL, alive.URL))
	p.outlets[source].lanes[dead.URL].standstill = 50 * time.Millisecond

	var held sync.WaitGroup
	ended := make([]schemas.Attempt, PerEndpoint)
	for i := range PerEndpoint {
		held.Go(func() { ended[i], _ = p.Post(t.Context(), owed(dead.URL), told) })
	}
	for range PerEndpoint {
		<-arrived
	}
	for range 3 {
		a, again := post(t, p, dead.URL)
		wantClass(t, a, ClassBusy)
		if Counts(a.Error) || again < minAgain || again > maxAgain {
			t.Errorf("it is to come again in %s", again)
		}
	}
	a, _ := post(t, p, alive.URL)
	wantDelivered(t, a)
	close(release)
	held.Wait()
	for _, a := range ended {
		wantDelivered(t, a)
	}
	if n := len(dead.all()); n != PerEndpoint {
		t.Errorf("%d attempts were under way at once", n)
	}
	a, _ = post(t, p, dead.URL)
	wantDelivered(t, a)
}

func TestPostDeliversABurstToAHealthyReceiverWithoutTurningAnyAway(t *testing.T) {
	r := newReceiver(t, nil)
	p := mustNew(t, lab(r.ca, r.URL))
	l := p.outlets[source].lanes[r.URL]
	l.patience, l.standstill = time.Hour, time.Hour // this machine may be slow, and is not what is tested
	const workers, each = 4 * PerEndpoint, 10
	var busy sync.WaitGroup
	for range workers {
		busy.Go(func() {
			for range each {
				if a, _ := p.Post(t.Context(), owed(r.URL), told); a.Error != "" {
					t.Errorf("got %+v", a)
				}
			}
		})
	}
	busy.Wait()
	if n := len(r.all()); n != workers*each {
		t.Errorf("%d arrived", n)
	}
}

func TestLaneSpacesThoseItTurnsAway(t *testing.T) {
	l, now := newLane(), time.Now()
	l.usual = 16 * time.Second // a dead receiver: one place becomes free every 2 s
	var last time.Duration
	for i := range 10 {
		wait := l.turnAway(now)
		if want := time.Duration(i+1) * 2 * time.Second; wait != want {
			t.Errorf("number %d is to come in %s, not in %s", i+1, wait, want)
		}
		last = wait
	}
	for range 10_000 {
		if wait := l.turnAway(now); wait < last || wait > maxAgain {
			t.Fatalf("one of a long row is to come in %s", wait)
		}
	}
	if wait := l.turnAway(now.Add(time.Hour)); wait != 2*time.Second {
		t.Errorf("an hour later the row is still %s long", wait)
	}
	quick := newLane()
	if wait := quick.turnAway(now); wait != minAgain {
		t.Errorf("got %s", wait)
	}
}

func TestLaneTurnsAwayAtOnceWhereTheTurnWouldNotCome(t *testing.T) {
	full := func(usual time.Duration) *lane {
		l := newLane()
		for range PerEndpoint {
			if ok, _ := l.enter(t.Context(), time.Now); !ok {
				t.Fatal("an empty lane is full")
			}
		}
		l.usual = usual
		return l
	}
	if full(15 * time.Second).join() {
		t.Error("somebody stands in line at a dead receiver")
	}
	l := full(100 * time.Millisecond)
	joined := 0
	for l.join() {
		joined++
	}
	if want := int(patience / (100 * time.Millisecond / PerEndpoint)); joined < want-1 || joined > want {
		t.Errorf("%d stand in line, and %d can be served within %s", joined, want, patience)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l = full(0)
	if ok, _ := l.enter(ctx, time.Now); ok || l.inLine != 0 {
		t.Errorf("a stopped worker got a place, or still stands in line (%d)", l.inLine)
	}
	for range PerEndpoint {
		l.leave(0)
	}
	if ok, _ := l.enter(t.Context(), time.Now); !ok {
		t.Error("a lane that everybody left is full")
	}
}

func TestLaneForgetsAFaultOnceTheReceiverIsBack(t *testing.T) {
	l := newLane()
	pass := func(took time.Duration, times int) {
		for range times {
			l.slots <- struct{}{}
			l.leave(took)
		}
	}
	pass(15*time.Second, 20)
	if l.join() {
		t.Error("20 timeouts taught nothing")
	}
	pass(20*time.Millisecond, 4*PerEndpoint)
	if !l.join() {
		t.Errorf("it still counts as slow (%s) after %d quick answers", l.usual, 4*PerEndpoint)
	}
}
