package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func claimed(generation int) schemas.Event {
	return schemas.Event{At: epoch.Add(time.Second), Type: schemas.EventClaimed, Generation: generation, DueAt: epoch.Add(10 * time.Second)}
}

func TestATransitionFoldsAndRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		done, err := live(t.Context(), l, task)
		if err != nil || done.Status != schemas.StatusSuccessful || done.Version != 4 {
			t.Fatalf("%s, version %d, %v", done.Status, done.Version, err)
		}
		events, err := l.Events(t.Context(), task.ID)
		if err != nil || len(events) != 4 || !same(t, fold(t, events), done) {
			t.Errorf("%d events, %v: their fold is not the task", len(events), err)
		}
		if read, err := l.Task(t.Context(), task.ID); err != nil || !same(t, read, done) {
			t.Errorf("read back: %v", err)
		}
	})
}

func TestARefusedTransitionChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		mine := errors.New("not now")
		for name, c := range map[string]struct {
			decide func(schemas.Task) ([]schemas.Event, error)
			want   error
		}{
			"decide says no":        {func(schemas.Task) ([]schemas.Event, error) { return nil, mine }, mine},
			"the machine says no":   {step(schemas.Event{At: epoch, Type: schemas.EventSucceeded}), schemas.ErrTransition},
			"the second is refused": {step(claimed(2), schemas.Event{At: epoch, Type: schemas.EventApproved}), schemas.ErrTransition},
			"of another task": {func(schemas.Task) ([]schemas.Event, error) {
				e := claimed(2)
				e.TaskID = "another"
				return []schemas.Event{e}, nil
			}, schemas.ErrTransition},
			"no time that JSON can say": {step(schemas.Event{At: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), Type: schemas.EventClaimed}), errDocument},
		} {
			if _, err := l.Transition(t.Context(), task.ID, c.decide); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := l.Transition(t.Context(), task.ID, func(schemas.Task) ([]schemas.Event, error) { panic("boom") }); err == nil {
			t.Error("a panic is no error")
		}
		if _, err := l.Transition(t.Context(), "nobody", step(claimed(2))); !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("an unknown task: %v", err)
		}
		if after, err := l.Transition(t.Context(), task.ID, step()); err != nil || !same(t, after, task) {
			t.Errorf("no events: %v", err)
		}
		if events, err := l.Events(t.Context(), task.ID); err != nil || len(events) != 1 {
			t.Errorf("%d events, %v", len(events), err)
		}
		if now, err := l.Task(t.Context(), task.ID); err != nil || !same(t, now, task) {
			t.Errorf("the task has changed: %v", err)
		}
	})
}

func TestOneRefusalLeavesTheBatchAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		a, b := mustCreate(t, l, accepted(epoch, "a")), mustCreate(t, l, accepted(epoch, "b"))
		together(t, l, func() {
			mustStep(t, l, a.ID, claimed(2))
		}, func() {
			if _, err := l.Transition(context.Background(), a.ID, step(schemas.Event{At: epoch, Type: schemas.EventApproved})); !errors.Is(err, schemas.ErrTransition) {
				t.Errorf("refused: %v", err)
			}
		}, func() {
			mustStep(t, l, b.ID, claimed(2))
		}, func() {
			if after := mustStep(t, l, a.ID, schemas.Event{At: epoch.Add(2e9), Type: schemas.EventSucceeded, Code: schemas.CodeOK}); after.Version != 3 {
				t.Errorf("version %d", after.Version)
			}
		})
		for id, want := range map[string]schemas.Status{a.ID: schemas.StatusSuccessful, b.ID: schemas.StatusInProgress} {
			now, err := l.Task(t.Context(), id)
			if err != nil || now.Status != want {
				t.Errorf("%s, %v; want %s", now.Status, err, want)
			}
			if events, err := l.Events(t.Context(), id); err != nil || !same(t, fold(t, events), now) {
				t.Errorf("%v: the fold differs", err)
			}
		}
	})
}

func TestCreateAndTransitionsMeetInOneBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "a"))
		d := delivery("soar", "key-"+task.ID, accepted(epoch, "a"))
		together(t, l, func() {
			mustStep(t, l, task.ID, claimed(2))
		}, func() {
			tasks, replay, err := l.Create(context.Background(), d)
			if err != nil || !replay || tasks[0].Version != 2 {
				t.Errorf("the replay does not see the step before it: %+v, %v", tasks, err)
			}
		})
	})
}

func TestWhatIsReturnedBelongsToTheCaller(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := accepted(epoch, "jdoe", "a", "b")
		task := mustCreate(t, l, e)
		spoil := func(task schemas.Task) {
			task.Enforcements[0].Status = "spoilt"
			task.Request.Systems[0] = "spoilt"
			task.Callback.Events[0] = "spoilt"
			*task.Request.RevokeSessions = false
			for _, n := range task.Enforcements {
				for i := range n.Steps {
					n.Steps[i].Detail = "spoilt"
				}
				if n.Intent != nil {
					n.Intent.Marker = "spoilt"
				}
			}
		}
		spoil(task)
		e.Accepted.Systems[1] = "spoilt"
		done, err := live(t.Context(), l, task)
		if err != nil {
			t.Fatal(err)
		}
		spoil(done)
		_, _ = l.Transition(t.Context(), task.ID, func(own schemas.Task) ([]schemas.Event, error) {
			spoil(own)
			return nil, errors.New("no")
		})
		now, err := l.Task(t.Context(), task.ID)
		if err != nil {
			t.Fatal(err)
		}
		events, err := l.Events(t.Context(), task.ID)
		if err != nil || !same(t, fold(t, events), now) {
			t.Errorf("the ledger's memory was changed from outside: %v", err)
		}
	})
}

func TestTextThatIsNoUTF8IsRecordedReadably(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		e := claimed(2)
		e.Detail = "the server said \xff\x00"
		after := mustStep(t, l, task.ID, e)
		events, err := l.Events(t.Context(), task.ID)
		if err != nil || !same(t, fold(t, events), after) || after.Enforcements[0].Detail != "the server said \uFFFD\x00" {
			t.Errorf("%q, %v", after.Enforcements[0].Detail, err)
		}
	})
}
