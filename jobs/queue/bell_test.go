package queue

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func testBell() *bell { return newBell(prometheus.NewCounter(prometheus.CounterOpts{Name: "rings"})) }

// look waits for the bell in a bubble and tells how long that took.
func look(b *bell, limit time.Duration) (mark uint64, took time.Duration) {
	begin := time.Now()
	mark, _ = b.wait(nil, limit)
	return mark, time.Since(begin)
}

func TestTheBellHoldsWhileEveryRingIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBell()
		mark, took := look(b, time.Second)
		if took != 0 {
			t.Errorf("the first look waited %v", took)
		}
		b.nothing(mark)
		if _, took := look(b, time.Second); took != time.Second {
			t.Errorf("without a ring the next look waited %v", took)
		}
		go func() {
			time.Sleep(100 * time.Millisecond)
			b.ring()
		}()
		mark, took = look(b, time.Second)
		if took != 100*time.Millisecond {
			t.Errorf("with a ring the look waited %v", took)
		}
		if _, took := look(b, time.Second); took != 0 {
			t.Errorf("after a look that found something the next waited %v", took)
		}
		b.ring() // while the look was under way
		b.nothing(mark)
		if _, took := look(b, time.Second); took != 0 {
			t.Errorf("a ring during a look was lost: the next waited %v", took)
		}
	})
}

func TestOneRingWakesOneUntilSomethingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := testBell(), make(chan struct{})
		mark, _ := look(b, time.Hour)
		b.nothing(mark)
		var woken atomic.Int64
		for range 5 {
			go func() {
				if _, ok := b.wait(stop, time.Hour); ok {
					woken.Add(1)
				}
			}()
		}
		synctest.Wait()
		for want := int64(1); want <= 3; want++ {
			if want == 1 {
				b.ring()
			} else {
				b.found()
			}
			synctest.Wait()
			if n := woken.Load(); n != want {
				t.Errorf("%d were woken, want %d", n, want)
			}
		}
		close(stop)
		synctest.Wait()
		if n := woken.Load(); n != 3 {
			t.Errorf("stopping woke %d to look", n-3)
		}
	})
}

func TestOnlyOneLooksWhenTheTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := testBell(), make(chan struct{})
		mark, _ := look(b, time.Second)
		b.nothing(mark)
		var looks atomic.Int64
		for range 4 {
			go func() {
				for {
					mark, ok := b.wait(stop, time.Second)
					if !ok {
						return
					}
					looks.Add(1)
					b.nothing(mark)
				}
			}()
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if n := looks.Load(); n != 10 {
			t.Errorf("four pullers looked %d times in 10 s, want 10", n)
		}
		close(stop)
	})
}
