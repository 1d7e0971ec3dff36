package queue

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

// benchEngines runs a benchmark on the embedded engine and on Redis with each way of syncing.
func benchEngines(b *testing.B, bench func(b *testing.B, o Options)) {
	b.Run("embedded", func(b *testing.B) { bench(b, Options{URL: "embedded"}) })
	for _, policy := range []string{"off", "everysec", "always"} {
		b.Run("redis-"+policy, func(b *testing.B) {
			bench(b, Options{URL: testserver.Redis(b, testserver.WithAppendFsync(policy)).URL})
		})
	}
}

// BenchmarkEnqueue measures enqueues by 64 callers onto a queue that nobody serves. Run it with -benchtime 2000x: the
// embedded queue is not meant to hold more.
func BenchmarkEnqueue(b *testing.B) {
	benchEngines(b, func(b *testing.B, o Options) {
		q := open(b, o)
		all := works(b.N)
		b.ResetTimer()
		enqueueMany(b, q, all)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "enqueued/s")
	})
}

// BenchmarkDrain measures 64 workers that do nothing on a queue that was filled before, with one puller and with four.
func BenchmarkDrain(b *testing.B) {
	benchEngines(b, func(b *testing.B, o Options) {
		for _, pullers := range []int{1, 4} {
			b.Run(fmt.Sprintf("%d-pullers", pullers), func(b *testing.B) {
				o := o
				o.Pullers = pullers
				q := open(b, o)
				enqueueMany(b, q, works(b.N))
				var left atomic.Int64
				left.Store(int64(b.N))
				done := make(chan struct{})
				b.ResetTimer()
				serve(b, q, testQueue, 64, func(context.Context, jobs.Work) {
					if left.Add(-1) == 0 {
						close(done)
					}
				})
				<-done
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "drained/s")
			})
		}
	})
}

// BenchmarkLatency measures how long an idle worker takes from Enqueue to the handler, at uneven distances. Run it with
// -benchtime 200x.
func BenchmarkLatency(b *testing.B) {
	benchEngines(b, func(b *testing.B, o Options) {
		q := open(b, o)
		taken := make(chan time.Time, 1)
		serve(b, q, testQueue, 16, func(context.Context, jobs.Work) { taken <- time.Now() })
		var all []time.Duration
		for i := range b.N {
			time.Sleep(time.Duration(5+i*7%20) * time.Millisecond)
			begin := time.Now()
			enqueue(b, q, work(i))
			all = append(all, (<-taken).Sub(begin))
		}
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(all[len(all)*95/100].Microseconds()), "p95-µs")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
	})
}
