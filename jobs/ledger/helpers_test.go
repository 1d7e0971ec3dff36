package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// place is where a ledger can be opened, again and again.
type place struct{ options Options }

func sqlitePlace(t testing.TB) *place {
	return &place{options: Options{URL: "sqlite", Dir: t.TempDir(), Logger: zerolog.Nop()}}
}

func postgresPlace(t testing.TB) *place {
	return &place{options: Options{URL: testserver.Postgres(t).Database(t), Logger: zerolog.Nop()}}
}

// onBoth runs a test on each database.
func onBoth(t *testing.T, test func(t *testing.T, p *place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, sqlitePlace(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresPlace(t)) })
}

// open opens a ledger and closes it with the test.
func (p *place) open(t testing.TB, change ...func(*Options)) *Ledger {
	t.Helper()
	o := p.options
	for _, c := range change {
		c(&o)
	}
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// epoch is when the tests' tasks begin.
var epoch = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// accepted makes the event that opens a task.
func accepted(at time.Time, account string, systems ...string) schemas.Event {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err)
	}
	if len(systems) == 0 {
		systems = []string{"corp-ldap"}
	}
	a, _ := schemas.ParseAccount(account)
	return schemas.Event{TaskID: id.String(), At: at, Type: schemas.EventAccepted, Actor: "source:soar", Accepted: &schemas.Accepted{
		Request: schemas.Request{Account: a, Systems: systems, Description: "Credential phish, case 4711", Reference: "INC0012345"}.WithDefaults(),
		Systems: systems, Status: schemas.StatusQueued,
		Callback: &schemas.CallbackPlan{URL: "https://soar.example.com/hooks/resetd", Events: []string{"final"}}}}
}

// delivery wraps events; its body hash stands for the key and what is given beside it.
func delivery(source, key string, events ...schemas.Event) jobs.NewDelivery {
	return jobs.NewDelivery{Source: source, Key: key, BodyHash: sha256.Sum256([]byte(key)), Accepted: events}
}

// mustCreate creates one task with a key of its own.
func mustCreate(t testing.TB, l *Ledger, e schemas.Event) schemas.Task {
	t.Helper()
	tasks, replay, err := l.Create(t.Context(), delivery("soar", "key-"+e.TaskID, e))
	if err != nil || replay || len(tasks) != 1 {
		t.Fatalf("Create: %d tasks, replay %v, %v", len(tasks), replay, err)
	}
	return tasks[0]
}

// step is a decision that always gives the same events.
func step(events ...schemas.Event) func(schemas.Task) ([]schemas.Event, error) {
	return func(t schemas.Task) ([]schemas.Event, error) {
		out := make([]schemas.Event, len(events))
		for i, e := range events {
			e.TaskID = t.ID
			if e.Actor == "" {
				e.Actor = "worker:test"
			}
			out[i] = e
		}
		return out, nil
	}
}

func mustStep(t testing.TB, l *Ledger, id string, events ...schemas.Event) schemas.Task {
	t.Helper()
	task, err := l.Transition(t.Context(), id, step(events...))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// live takes a task through the life that most have: claimed, intended, succeeded.
func live(ctx context.Context, l *Ledger, t schemas.Task) (schemas.Task, error) {
	return lifetime(ctx, l, t, func(ctx context.Context, e schemas.Event) (schemas.Task, error) {
		return l.Transition(ctx, t.ID, step(e))
	})
}

// lifetime does the same with a way of its own to record the intent.
func lifetime(ctx context.Context, l *Ledger, t schemas.Task, intend func(context.Context, schemas.Event) (schemas.Task, error)) (schemas.Task, error) {
	n, at := t.Enforcements[0], t.CreatedAt
	for _, e := range []schemas.Event{
		{At: at.Add(1e6), Type: schemas.EventClaimed, System: n.System, Generation: n.Generation + 1, DueAt: at.Add(10 * time.Second)},
		{At: at.Add(2e6), Type: schemas.EventIntended, System: n.System, Intent: &schemas.Evidence{PasswordChangedAt: at.Add(-time.Hour)},
			Identity: &schemas.Identity{ID: "0f8fad5b-d9cb-469f-a165-70867728950e", Name: "uid=jdoe"}, DueAt: at.Add(10 * time.Second)},
		{At: at.Add(3e6), Type: schemas.EventSucceeded, System: n.System, Code: schemas.CodeOK, Steps: []schemas.Step{
			{Name: schemas.StepResolve, Code: schemas.CodeOK, At: at, TookMS: 1}, {Name: schemas.StepReset, Code: schemas.CodeOK, At: at, TookMS: 12},
			{Name: schemas.StepVerify, Code: schemas.CodeOK, At: at, TookMS: 3}}},
	} {
		var err error
		if e.Type == schemas.EventIntended {
			t, err = intend(ctx, e)
		} else {
			t, err = l.Transition(ctx, t.ID, step(e))
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", e.Type, err)
		}
	}
	return t, nil
}

// fold gives the task that a history makes.
func fold(t testing.TB, events []schemas.Event) schemas.Task {
	t.Helper()
	var task schemas.Task
	var err error
	for _, e := range events {
		if task, err = task.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return task
}

// same tells whether two values have one document.
func same(t testing.TB, a, b any) bool {
	t.Helper()
	x, err := encode(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := encode(b)
	if err != nil {
		t.Fatal(err)
	}
	return x == y
}

// together runs functions so that their operations meet in one batch: the writer is held until all of them wait.
func together(t *testing.T, l *Ledger, functions ...func()) {
	t.Helper()
	holder := mustCreate(t, l, accepted(epoch, "holder"))
	holding, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, err := l.Transition(context.Background(), holder.ID, func(schemas.Task) ([]schemas.Event, error) {
			close(holding)
			<-release
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-holding
	for i, f := range functions {
		all.Go(f)
		for len(l.writer.urgent)+len(l.writer.creates) <= i {
			time.Sleep(100 * time.Microsecond)
		}
	}
	close(release)
	all.Wait()
}
