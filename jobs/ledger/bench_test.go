//go:build unix

package ledger

import (
	"context"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// BenchmarkCreate measures durable acknowledgements: 64 clients, one task each time. One account in ten thousand recurs.
func BenchmarkCreate(b *testing.B) {
	benchmark(b, func(b *testing.B, l *Ledger, n int64) {
		mustCreate(b, l, accepted(time.Now(), "user"+strconv.FormatInt(n*7919%10000, 10)+"@example.com"))
	})
}

// BenchmarkLifecycle measures whole tasks: a create, three transitions, and a callback that becomes due.
func BenchmarkLifecycle(b *testing.B) {
	benchmark(b, func(b *testing.B, l *Ledger, n int64) {
		task := mustCreate(b, l, accepted(time.Now(), "user"+strconv.FormatInt(n*7919%10000, 10)+"@example.com"))
		if _, err := live(b.Context(), l, task); err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkLeading measures the same with the middle transition as it is made before a reset: by Intend, which looks up who
// was last and takes his place.
func BenchmarkLeading(b *testing.B) {
	benchmark(b, func(b *testing.B, l *Ledger, n int64) {
		who := n * 7919 % 10000
		task := mustCreate(b, l, accepted(time.Now(), "user"+strconv.FormatInt(who, 10)+"@example.com"))
		if _, err := lifetime(b.Context(), l, task, func(ctx context.Context, e schemas.Event) (schemas.Task, error) {
			return l.Intend(ctx, task.ID, jobs.Subject{byte(who), byte(who >> 8)}, func(t schemas.Task, _ *schemas.Task) ([]schemas.Event, error) { return step(e)(t) })
		}); err != nil {
			b.Error(err)
		}
	})
}

func benchmark(b *testing.B, each func(b *testing.B, l *Ledger, n int64)) {
	for name, open := range map[string]func(testing.TB) *place{"sqlite": sqlitePlace, "postgres": postgresPlace} {
		b.Run(name, func(b *testing.B) {
			l := open(b).open(b)
			var count atomic.Int64
			b.SetParallelism(32) // times GOMAXPROCS
			b.ReportAllocs()
			cpu := processorTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					each(b, l, count.Add(1))
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
			b.ReportMetric(float64((processorTime()-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// processorTime is what this process has used: more telling than the clock on a machine that others use too.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
