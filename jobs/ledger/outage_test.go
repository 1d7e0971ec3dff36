//go:build unix

package ledger

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// traffic creates tasks from some goroutines, and remembers which were acknowledged.
type traffic struct {
	stop      chan struct{}
	all       sync.WaitGroup
	mu        sync.Mutex
	ids       []string
	refused   atomic.Int64
	succeeded atomic.Int64
}

func startTraffic(t *testing.T, l *Ledger) *traffic {
	tr := &traffic{stop: make(chan struct{})}
	for range 8 {
		tr.all.Go(func() {
			for {
				select {
				case <-tr.stop:
					return
				default:
				}
				e := accepted(time.Now(), "jdoe")
				_, _, err := l.Create(context.Background(), delivery("soar", e.TaskID, e))
				switch {
				case err == nil:
					tr.mu.Lock()
					tr.ids = append(tr.ids, e.TaskID)
					tr.mu.Unlock()
					tr.succeeded.Add(1)
				case errors.Is(err, schemas.ErrOverloaded):
					tr.refused.Add(1)
					time.Sleep(5 * time.Millisecond)
				default:
					t.Errorf("an outage is told as %v", err)
					return
				}
			}
		})
	}
	return tr
}

// more waits until a counter has moved on.
func more(t *testing.T, what string, n *atomic.Int64) {
	t.Helper()
	from := n.Load()
	for deadline := time.Now().Add(time.Minute); n.Load() < from+20; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is %s any more", what)
		}
	}
}

func (tr *traffic) end(t *testing.T, l *Ledger) {
	t.Helper()
	close(tr.stop)
	tr.all.Wait()
	for _, id := range tr.ids {
		if _, err := l.Task(t.Context(), id); err != nil {
			t.Errorf("acknowledged, and lost: %v", err)
		}
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("not ready afterwards: %v", err)
	}
}

func TestAPostgresThatIsRestartedLosesNothing(t *testing.T) {
	server := testserver.Postgres(t, testserver.OwnCluster())
	p := &place{options: Options{URL: server.Database(t), Logger: zerolog.Nop()}}
	l := p.open(t)
	tr := startTraffic(t, l)
	for _, stop := range []func() error{server.Stop, server.Kill} {
		more(t, "written", &tr.succeeded)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		more(t, "refused", &tr.refused)
		if err := l.Ready(t.Context()); !errors.Is(err, schemas.ErrOverloaded) {
			t.Errorf("ready without a server: %v", err)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	more(t, "written", &tr.succeeded)
	tr.end(t, l)
}

// sessions gives the process ids of a ledger's connections.
func sessions(t *testing.T, c *pgx.Conn) []int {
	t.Helper()
	rows, err := c.Query(t.Context(), "SELECT pid FROM pg_stat_activity WHERE application_name = 'resetd' AND datname = current_database()")
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(pids) == 0 {
		t.Fatalf("%v, %v", pids, err)
	}
	return pids
}

func TestSessionsThatAreCutLoseNothing(t *testing.T) {
	p := postgresPlace(t)
	l := p.open(t)
	tr := startTraffic(t, l)
	c, err := pgx.Connect(t.Context(), p.options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	for range 5 {
		more(t, "written", &tr.succeeded)
		for _, pid := range sessions(t, c) {
			if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend($1)", pid); err != nil {
				t.Fatal(err)
			}
		}
	}
	more(t, "written", &tr.succeeded)
	tr.end(t, l)
}

func TestAServerThatHangsIsGivenUpInTime(t *testing.T) {
	p := postgresPlace(t)
	l := p.open(t, func(o *Options) { o.Deadline = time.Second })
	c, err := pgx.Connect(t.Context(), p.options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	task := mustCreate(t, l, accepted(epoch, "jdoe"))
	pids := sessions(t, c)
	signal := func(s syscall.Signal) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	signal(syscall.SIGSTOP)
	begin := time.Now()
	_, err = l.Transition(t.Context(), task.ID, step(claimed(2)))
	took := time.Since(begin)
	signal(syscall.SIGCONT)
	if !errors.Is(err, schemas.ErrOverloaded) || took > 30*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	more(t, "written", func() *atomic.Int64 {
		n := &atomic.Int64{}
		go func() {
			for i := 0; i < 20; {
				if _, err := l.Transition(context.Background(), task.ID, step()); err == nil {
					i++
					n.Add(1)
				}
			}
		}()
		return n
	}())
}
