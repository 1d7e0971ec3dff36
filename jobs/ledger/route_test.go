package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// routed are the events by which an enforcement on entra finds out that the password lives in corp-ad.
func routed(at time.Time) []schemas.Event {
	return []schemas.Event{
		{At: at, Type: schemas.EventRouted, System: "corp-ad", Via: "entra", Account: &schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"}},
		{At: at, Type: schemas.EventDeferred, System: "entra", Waited: true, WaitsFor: "corp-ad", DueAt: at.Add(time.Hour)},
	}
}

func TestARoutedTaskActsOnOneSystemMore(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe", "entra"))
		mustStep(t, l, task.ID, claimed(2))
		at := epoch.Add(2 * time.Second)
		after, err := l.Route(t.Context(), task, "corp-ad", step(routed(at)...))
		if err != nil || len(after.Enforcements) != 2 {
			t.Fatalf("%d enforcements, %v", len(after.Enforcements), err)
		}
		source, copied := after.On("corp-ad"), after.On("entra")
		if source.ID != task.ID+".1" || source.Status != schemas.StatusQueued || source.Via != "entra" || source.Account == nil {
			t.Errorf("the enforcement at the source is %+v", source)
		}
		if copied.Status != schemas.StatusQueued || copied.WaitsFor != "corp-ad" || copied.Attempts != 0 {
			t.Errorf("the one that waits is %+v", copied)
		}
		due := func(system string, now time.Time) []jobs.Work {
			works, err := l.Due(t.Context(), jobs.QueueOf(system), now, 10)
			if err != nil {
				t.Fatal(err)
			}
			return works
		}
		if len(due("corp-ad", at)) != 1 || len(due("entra", at)) != 0 {
			t.Error("the source is due at once, and the other waits for it")
		}
		for _, system := range []string{"corp-ad", "entra"} {
			page, err := l.Search(t.Context(), schemas.TaskQuery{System: system, Limit: 10})
			if err != nil || len(page.Tasks) != 1 {
				t.Errorf("searching by the system %s finds %d tasks, %v", system, len(page.Tasks), err)
			}
		}
		// The end at the source ends the wait, in the same transaction.
		mustStep(t, l, task.ID, schemas.Event{At: at, Type: schemas.EventClaimed, System: "corp-ad", Generation: 2, DueAt: at.Add(time.Minute)})
		end := at.Add(time.Second)
		mustStep(t, l, task.ID, schemas.Event{At: end, Type: schemas.EventSucceeded, System: "corp-ad", Code: schemas.CodeOK})
		if works := due("entra", end); len(works) != 1 || !works[0].DueAt.Equal(end) {
			t.Errorf("the one that waited is due %+v, want at %s", works, end)
		}
		events, err := l.Events(t.Context(), task.ID)
		now, errNow := l.Task(t.Context(), task.ID)
		if err != nil || errNow != nil || !same(t, fold(t, events), now) {
			t.Errorf("the fold of the history is not the task: %v, %v", err, errNow)
		}
	})
}

func TestARouteThatWasNotAnnouncedChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe", "entra"))
		mustStep(t, l, task.ID, claimed(2))
		if _, err := l.Transition(t.Context(), task.ID, step(routed(epoch.Add(time.Second))...)); err == nil {
			t.Error("a task was routed without Route")
		}
		unclaimed := mustCreate(t, l, accepted(epoch, "ann", "entra"))
		if _, err := l.Route(t.Context(), unclaimed, "corp-ad", step(routed(epoch.Add(time.Second))...)); !errors.Is(err, schemas.ErrTransition) {
			t.Errorf("%v, want ErrTransition: nobody works on that one", err)
		}
		if now, err := l.Task(t.Context(), task.ID); err != nil || len(now.Enforcements) != 1 {
			t.Errorf("%d enforcements, %v", len(now.Enforcements), err)
		}
	})
}

func TestASourceThatDidNotFindTheAccountBeginsAnewUnderTheOtherName(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe", "corp-ad", "entra"))
		mustStep(t, l, task.ID, schemas.Event{At: epoch, Type: schemas.EventClaimed, System: "corp-ad", Generation: 2, DueAt: epoch.Add(time.Minute)})
		mustStep(t, l, task.ID, schemas.Event{At: epoch, Type: schemas.EventNotFound, System: "corp-ad", Code: schemas.CodeAccountNotFound})
		task = mustStep(t, l, task.ID, schemas.Event{At: epoch, Type: schemas.EventClaimed, System: "entra", Generation: 2, DueAt: epoch.Add(time.Minute)})
		at := epoch.Add(2 * time.Second)
		after, err := l.Route(t.Context(), task, "corp-ad", step(routed(at)...))
		if err != nil || len(after.Enforcements) != 2 {
			t.Fatalf("%d enforcements, %v", len(after.Enforcements), err)
		}
		source := after.On("corp-ad")
		works, err := l.Due(t.Context(), jobs.QueueOf("corp-ad"), at, 10)
		if err != nil || len(works) != 1 || works[0].ID != source.ID || works[0].Generation != 3 || source.Generation != 3 || source.Account == nil {
			t.Errorf("due %+v, %v; the enforcement is %+v", works, err, source)
		}
		if _, err := l.Route(t.Context(), after, "corp-ad", step(routed(at)[0])); !errors.Is(err, schemas.ErrTransition) {
			t.Errorf("routed twice: %v", err)
		}
		events, err := l.Events(t.Context(), task.ID)
		now, errNow := l.Task(t.Context(), task.ID)
		if err != nil || errNow != nil || !same(t, fold(t, events), now) {
			t.Errorf("the fold of the history is not the task: %v, %v", err, errNow)
		}
	})
}
