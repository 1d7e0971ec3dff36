package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// hold keeps the writer busy until release is called.
func hold(t *testing.T, l *Ledger) (release func()) {
	t.Helper()
	task := mustCreate(t, l, accepted(epoch, "holder"))
	holding, end, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_, _ = l.Transition(context.Background(), task.ID, func(schemas.Task) ([]schemas.Event, error) {
			close(holding)
			<-end
			return nil, nil
		})
	}()
	<-holding
	return sync.OnceFunc(func() { close(end); <-over })
}

func TestAFullQueueRefusesAndLosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t, func(o *Options) { o.QueueLimit = 3 })
		release := hold(t, l)
		defer release()
		create := func(n int) error {
			events := make([]schemas.Event, n)
			for i := range events {
				events[i] = accepted(epoch, "jdoe")
			}
			_, _, err := l.Create(context.Background(), delivery("soar", events[0].TaskID, events...))
			return err
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := create(1); err != nil {
					t.Error(err)
				}
			})
		}
		for l.writer.waitingTasks.Load() < 3 {
			time.Sleep(time.Millisecond)
		}
		if err := create(1); !errors.Is(err, schemas.ErrOverloaded) {
			t.Errorf("a create too many: %v", err)
		}
		release()
		all.Wait()
		if err := create(50); err != nil {
			t.Errorf("one large delivery, when nothing else waits: %v", err)
		}
		if n := count(t, l, "tasks"); n != 1+3+50 {
			t.Errorf("%d tasks", n)
		}
	})
}

func TestWhoLeavesTheQueueIsNotServed(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t, func(o *Options) { o.Deadline = time.Second })
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		release := hold(t, l)
		defer release()
		impatient, cancel := context.WithCancel(context.Background())
		cancel()
		for name, ctx := range map[string]context.Context{"the ledger's deadline": context.Background(), "the caller's": impatient} {
			_, err := l.Transition(ctx, task.ID, func(schemas.Task) ([]schemas.Event, error) {
				t.Errorf("%s: the decision was asked for", name)
				return nil, nil
			})
			if !errors.Is(err, schemas.ErrOverloaded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		release()
		mustStep(t, l, task.ID, claimed(2))
	})
}

func TestCloseServesWhoWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		release := hold(t, l)
		var all sync.WaitGroup
		all.Go(func() { mustStep(t, l, task.ID, claimed(2)) })
		for len(l.writer.urgent) == 0 {
			time.Sleep(time.Millisecond)
		}
		all.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		<-l.writer.stop
		if _, err := l.Transition(context.Background(), task.ID, step(claimed(3))); !errors.Is(err, schemas.ErrOverloaded) {
			t.Errorf("after the close: %v", err)
		}
		release()
		all.Wait()
		if now, err := p.open(t).Task(t.Context(), task.ID); err != nil || now.Version != 2 {
			t.Errorf("version %d, %v", now.Version, err)
		}
	})
}

// TestAFullDiskLosesNothing fills the file as far as SQLite lets it grow: to the writer that is a full disk.
func TestAFullDiskLosesNothing(t *testing.T) {
	l := sqlitePlace(t).open(t)
	conn := l.db.store.(*sqliteStore).conn
	limit := func(pages int) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	if err := conn.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit(pages + 40)
	var ids []string
	var full error
	for i := 0; full == nil && i < 10000; i++ {
		e := accepted(epoch, "jdoe")
		_, _, full = l.Create(t.Context(), delivery("soar", e.TaskID, e))
		if full == nil {
			ids = append(ids, e.TaskID)
		}
	}
	if !errors.Is(full, schemas.ErrOverloaded) || len(ids) == 0 {
		t.Fatalf("after %d tasks: %v", len(ids), full)
	}
	if err := l.Ready(t.Context()); !errors.Is(err, schemas.ErrOverloaded) {
		t.Errorf("ready on a full disk: %v", err)
	}
	for _, id := range ids {
		if _, err := l.Task(t.Context(), id); err != nil {
			t.Errorf("acknowledged, and lost: %v", err)
		}
	}
	limit(1 << 30)
	if err := l.Ready(t.Context()); err != nil {
		t.Errorf("not ready again: %v", err)
	}
	for _, id := range append(ids, mustCreate(t, l, accepted(epoch, "jdoe")).ID) {
		mustStep(t, l, id, claimed(2))
	}
	if n := count(t, l, "tasks"); n != len(ids)+1 {
		t.Errorf("%d tasks; %d were acknowledged", n, len(ids)+1)
	}
}
