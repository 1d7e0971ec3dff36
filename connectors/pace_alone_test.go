package connectors_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// book is a common book in memory that can fail and hang.
type book struct {
	mu     sync.Mutex
	next   time.Time
	held   time.Time
	holds  []time.Duration
	slower int
	last   time.Time // when it answered last

	fails  error
	hangs  bool
	shares int
	asked  atomic.Int32
}

func (b *book) Turns(ctx context.Context, _ string, every time.Duration, n int) ([][2]time.Time, float64, time.Time, error) {
	b.asked.Add(1)
	b.mu.Lock()
	fails, hangs := b.fails, b.hangs
	b.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, 0, time.Time{}, ctx.Err()
	}
	if fails != nil {
		return nil, 0, time.Time{}, fails
	}
	time.Sleep(time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.last = now
	for _, earliest := range []time.Time{now, b.held} {
		if b.next.Before(earliest) {
			b.next = earliest
		}
	}
	var out [][2]time.Time
	for range n {
		out = append(out, [2]time.Time{b.next, b.next})
		b.next = b.next.Add(every)
	}
	return out, 1, b.held, nil
}

func (b *book) Hold(_ context.Context, _ string, pause time.Duration, slower bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holds = append(b.holds, pause)
	if slower {
		b.slower++
	}
	return b.fails
}

func (b *book) Alone() (time.Time, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last.Add(3500 * time.Millisecond), b.shares
}

func (b *book) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// crowdOf calls a system from many goroutines until the test ends.
func crowdOf(t *testing.T, r room, n int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				_, _ = r.resolve(ctx)
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

func TestRateIsTakenFromTheCommonBookInBatches(t *testing.T) {
	d, b := &diary{}, &book{shares: 2}
	bubble(t, d, rated(500), func(t *testing.T, r room) {
		r.PaceBy(b)
		stop := crowdOf(t, r, 128)
		time.Sleep(10 * time.Second)
		stop()
		if n := len(d.times()); n < 4850 || n > 5000 || d.most() > 500 {
			t.Errorf("%d calls in ten seconds at 500/s, %d in the worst", n, d.most())
		}
		if n := b.asked.Load(); n > 150 {
			t.Errorf("the common book was asked %d times in ten seconds", n)
		}
	})
}

func TestWithoutTheCommonBookAReplicaKeepsToItsShareAndGoesOn(t *testing.T) {
	for name, breaks := range map[string]func(*book){"it fails": func(b *book) { b.fails = errors.New("gone") }, "it hangs": func(b *book) { b.hangs = true }} {
		t.Run(name, func(t *testing.T) {
			d, b := &diary{}, &book{shares: 4}
			bubble(t, d, rated(100), func(t *testing.T, r room) {
				r.PaceBy(b)
				stop := crowdOf(t, r, 32)
				second := func() int {
					before := len(d.times())
					time.Sleep(time.Second)
					return len(d.times()) - before
				}
				time.Sleep(2 * time.Second)
				if n := second(); n < 95 {
					t.Errorf("%d calls a second at first", n)
				}
				b.set(func() { breaks(b) })
				time.Sleep(300 * time.Millisecond) // what was reserved
				if n := second() + second(); n > 0 {
					t.Errorf("%d calls while others cannot know yet that this one is on its own", n)
				}
				time.Sleep(5 * time.Second)
				if n := second(); n < 22 || n > 25 {
					t.Errorf("%d calls a second on its own, want a quarter of 100", n)
				}
				b.set(func() { b.fails, b.hangs = nil, false })
				time.Sleep(5 * time.Second)
				if n := second(); n < 95 {
					t.Errorf("%d calls a second afterwards", n)
				}
				stop()
				if log := r.log.String(); !strings.Contains(log, `"shares":4`) || !strings.Contains(log, "shared with the other replicas again") || strings.Count(log, "cannot be shared") != 1 {
					t.Errorf("the log does not tell both changes once: %s", log)
				}
				if n := d.most(); n > 100 {
					t.Errorf("%d calls in a second", n)
				}
			})
		})
	}
}

func TestPausesGoToAndComeFromTheOtherReplicas(t *testing.T) {
	for name, rate := range map[string]int{"with a rate": 100, "without": 0} {
		t.Run(name, func(t *testing.T) {
			d, b := &diary{}, &book{shares: 2}
			d.answer = func(n int) error {
				if n == 5 {
					return busy(4 * time.Second)
				}
				return nil
			}
			bubble(t, d, rated(rate), func(t *testing.T, r room) {
				r.PaceBy(b)
				for range 5 {
					if _, err := r.resolve(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if len(b.holds) != 1 || b.holds[0] != 4*time.Second || b.slower != 1 {
					t.Errorf("the others were told of pauses of %v, slower %d times", b.holds, b.slower)
				}
				time.Sleep(time.Second)
				b.set(func() { b.held = time.Now().Add(time.Minute) })
				before := len(d.times())
				var err error
				for range 3 { // without a rate a call may slip through while the common book is asked
					if _, err = r.resolve(t.Context()); err != nil {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				wantCode(t, "in the pause of another replica", err, schemas.CodeRateLimited)
				if n := len(d.times()) - before; rate > 0 && n > 0 || n > 1 {
					t.Errorf("%d calls went through", n)
				}
				if info := r.Systems()[0]; info.State != connectors.StatePaused || time.Until(info.Until) < 58*time.Second {
					t.Errorf("the pause is not shown: %+v", info.Condition)
				}
			})
		})
	}
}

var _ connectors.Pacer = (*book)(nil)
