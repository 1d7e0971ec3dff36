package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs/queue"
	"github.com/resetd/resetd/schemas"
)

// meter is one system that several replicas call. It notes when.
type meter struct {
	connectors.Connector
	mu sync.Mutex
	at []time.Time
}

func (m *meter) Resolve(context.Context, schemas.Account) (schemas.Identity, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = append(m.at, time.Now())
	return schemas.Identity{ID: "1"}, nil
}

func (m *meter) Close() error { return nil }

func (m *meter) since(t time.Time) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.at {
		if at.After(t) {
			n++
		}
	}
	return n
}

// Replicas share a rate by Redis, keep to their shares while it is killed and while it hangs, and take nothing twice when it
// is back: at no time does the system see more than the rate.
func TestReplicasNeverExceedARateTogetherWhateverBecomesOfRedis(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute; it runs without -short")
	}
	const rate = 60
	server := testserver.Redis(t)
	m := &meter{}
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 2 {
		q, err := queue.Open(t.Context(), queue.Options{URL: server.URL, Logger: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		set, err := connectors.NewSet([]connectors.System{{Name: "okta", Connector: m, Rate: connectors.Rate{Count: rate, Per: time.Second}}}, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		set.PaceBy(q.Pace(t.Context()))
		t.Cleanup(func() { _ = q.Close(context.Background()); _ = set.Close() })
		for range 8 {
			callers.Go(func() {
				for ctx.Err() == nil {
					_, _ = set.Resolve(ctx, "okta", schemas.Account{})
				}
			})
		}
	}
	t.Cleanup(callers.Wait)
	t.Cleanup(stop)
	goesOn := func(when string, least int) {
		t.Helper()
		time.Sleep(5 * time.Second) // the longest that a replica waits for the others to notice, and more
		began := time.Now()
		time.Sleep(2 * time.Second)
		if n := m.since(began); n < least {
			t.Errorf("%s: %d calls in two seconds, want about %d", when, n, 2*rate)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	goesOn("at first", rate)
	must(server.Kill())
	goesOn("while Redis is gone", rate)
	must(server.Restart())
	goesOn("when Redis is back and has forgotten everything", rate)
	must(server.Pause())
	goesOn("while Redis hangs", rate)
	must(server.Resume())
	goesOn("when Redis goes on", rate)
	stop()
	callers.Wait()
	// The system is allowed a thirtieth of a second for calls that this busy machine has kept waiting on their way.
	const window = time.Second - time.Second/30
	slices.SortFunc(m.at, time.Time.Compare)
	for i := rate; i < len(m.at); i++ {
		if apart := m.at[i].Sub(m.at[i-rate]); apart < window {
			t.Fatalf("call %d came %s after the %dth before it", i, apart, rate)
		}
	}
}
