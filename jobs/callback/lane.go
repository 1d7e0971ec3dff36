package callback

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// PerEndpoint is how many attempts may be under way at once for one source at one scheme, host and port. Whoever runs
// the workers should run several times as many.
const PerEndpoint = 8

const (
	// patience is how far off a turn may be expected for a worker to stand in line. Beyond it he is of more use elsewhere.
	patience = 500 * time.Millisecond
	// standstill is how long one really stands. When it is over, the expectation was wrong.
	standstill = 2 * time.Second
	// The bounds of the wait that those who are turned away are given.
	minAgain = time.Second
	maxAgain = 5 * time.Minute
)

// lane keeps one dead endpoint from occupying all workers. PerEndpoint attempts go on at once. The next one stands in
// line if the endpoint has lately been quick enough for its turn to come within patience; a burst at a healthy receiver is
// thus delivered without delay. Otherwise it is turned away at once, with a time to come again: those who are turned away
// are spaced as the endpoint can serve them, so that thousands of callbacks that wait for a dead receiver cost little.
type lane struct {
	slots      chan struct{}
	patience   time.Duration
	standstill time.Duration

	mu      sync.Mutex
	usual   time.Duration // how long an attempt takes here, a moving average
	inLine  int
	nextDue time.Time // the end of the row of those who were turned away
}

func newLane() *lane {
	return &lane{slots: make(chan struct{}, PerEndpoint), patience: patience, standstill: standstill}
}

// enter takes a place, which leave must give back. If there is none it gives false and how long to stay away; a context
// that ends while waiting gives false too.
func (l *lane) enter(ctx context.Context, now func() time.Time) (ok bool, again time.Duration) {
	select {
	case l.slots <- struct{}{}:
		return true, 0
	default:
	}
	if !l.join() {
		return false, l.turnAway(now())
	}
	turn := time.NewTimer(l.standstill)
	defer turn.Stop()
	defer l.part()
	select {
	case l.slots <- struct{}{}:
		return true, 0
	case <-ctx.Done():
		return false, 0
	case <-turn.C:
		l.learn()
		return false, l.turnAway(now())
	}
}

// leave gives the place back and tells how long the attempt took.
func (l *lane) leave(took time.Duration) {
	l.mu.Lock()
	l.usual += (took - l.usual) / 4
	l.mu.Unlock()
	<-l.slots
}

// join stands in line, if the turn can be expected to come within patience.
func (l *lane) join() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.usual*time.Duration(l.inLine+1)/PerEndpoint >= l.patience {
		return false
	}
	l.inLine++
	return true
}

func (l *lane) part() {
	l.mu.Lock()
	l.inLine--
	l.mu.Unlock()
}

// learn notes that a turn did not come: until the first attempts end, it is all that is known of a dead endpoint. Nobody
// stands in line any more then, until quick answers prove it wrong.
func (l *lane) learn() {
	l.mu.Lock()
	l.usual = max(l.usual, l.patience*PerEndpoint)
	l.mu.Unlock()
}

// turnAway gives the next time in the row. The row is no longer than maxAgain, since the endpoint may recover any moment;
// those beyond its end are spread over its second half.
func (l *lane) turnAway(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nextDue.Before(now) {
		l.nextDue = now
	}
	l.nextDue = l.nextDue.Add(l.usual / PerEndpoint)
	if wait := l.nextDue.Sub(now); wait <= maxAgain {
		return max(wait, minAgain)
	}
	l.nextDue = now.Add(maxAgain)
	return maxAgain/2 + rand.N(maxAgain/2)
}
