//go:build unix

package queue

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
)

// idleSpan is how long the idle benchmark watches.
const idleSpan = 10 * time.Second

// BenchmarkIdle measures the CPU time of a process with a few queues and nothing to do, as a part of one core, and for
// Redis that of the server too. Run it with -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	for _, queues := range []int{2, 10} {
		for _, engine := range []string{"embedded", "redis"} {
			b.Run(fmt.Sprintf("%s-%d-queues", engine, queues), func(b *testing.B) {
				o, server := Options{URL: "embedded"}, func() float64 { return 0 }
				var q *Queue
				if engine == "redis" {
					o.URL = testserver.Redis(b).URL
					server = func() float64 { return serverCPU(b, q) }
				}
				q = open(b, o)
				for i := range queues {
					serve(b, q, fmt.Sprintf("system-%d", i), 16, func(context.Context, jobs.Work) {})
				}
				time.Sleep(2 * time.Second)
				ours, theirs := processCPU(b), server()
				time.Sleep(idleSpan)
				part := 100 / idleSpan.Seconds()
				b.ReportMetric((processCPU(b)-ours)*part, "cpu-%")
				b.ReportMetric((server()-theirs)*part, "server-cpu-%")
			})
		}
	}
}

// processCPU gives the CPU seconds that this process has used.
func processCPU(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// serverCPU gives the CPU seconds that the Redis server has used.
func serverCPU(b *testing.B, q *Queue) float64 {
	info, err := q.client.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	var sum float64
	for _, name := range []string{"used_cpu_user:", "used_cpu_sys:"} {
		_, text, _ := strings.Cut(info, name)
		var seconds float64
		if _, err := fmt.Sscan(text, &seconds); err != nil {
			b.Fatal(err)
		}
		sum += seconds
	}
	return sum
}
