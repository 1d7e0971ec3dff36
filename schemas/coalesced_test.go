package schemas

import (
	"errors"
	"testing"
	"time"
)

var first = &Coalesced{TaskID: "first", EnforcementID: "first.0"}

func TestAFollowerWaitsWithoutAnAttemptAndSharesTheEnd(t *testing.T) {
	task := apply(t, Task{}, accepted(StatusQueued, 1))
	task = apply(t, task, next(task, EventCoalesced))
	n := task.Enforcements[0]
	if !n.Follows() || *n.CoalescedWith != *first || n.Attempts != 0 || task.Status != StatusQueued {
		t.Fatalf("coalesced: %+v, task %s", n, task.Status)
	}
	task = apply(t, task, next(task, EventClaimed))
	end := next(task, EventSucceeded)
	end.Code, end.CoalescedWith, end.Identity = CodeOK, &Coalesced{TaskID: "first", EnforcementID: "first.0", FinishedAt: noon}, &Identity{ID: "1"}
	task = apply(t, task, end)
	n = task.Enforcements[0]
	if n.Follows() || n.Status != StatusSuccessful || n.Attempts != 0 || !n.StartedAt.IsZero() || !n.CoalescedWith.FinishedAt.Equal(noon) || n.Identity.ID != "1" {
		t.Errorf("ended: %+v", n)
	}
}

func TestAClaimThatFindsOutIsNoAttempt(t *testing.T) {
	for name, on := range map[string]EventType{"another one is at it": EventCoalesced, "another one has done it": EventSucceeded, "another one has failed": EventFailed} {
		task := taskAt(t, StatusInProgress)
		e := next(task, on)
		e.CoalescedWith = first
		e.Steps = []Step{{Name: StepResolve, Code: CodeOK}}
		task = apply(t, task, e)
		if n := task.Enforcements[0]; n.Attempts != 0 || *n.CoalescedWith != *first || len(n.Steps) != 1 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func TestAFollowerThatGoesOnByItselfBeginsItsTime(t *testing.T) {
	task := taskAt(t, StatusInProgress)
	task = apply(t, task, next(task, EventCoalesced))
	if task.Enforcements[0].StartedAt.IsZero() {
		t.Fatal("the claim left no time")
	}
	e := next(task, EventDeferred)
	e.DueAt = e.At
	task = apply(t, task, e)
	if n := task.Enforcements[0]; n.Follows() || n.CoalescedWith != nil || !n.StartedAt.IsZero() || n.Attempts != 0 || n.Status != StatusQueued {
		t.Errorf("it goes on as %+v", n)
	}
	task = apply(t, task, next(task, EventClaimed))
	if n := task.Enforcements[0]; n.Attempts != 1 || n.StartedAt.IsZero() {
		t.Errorf("claimed as %+v", n)
	}
}

func TestAFollowerCanBeGivenAnotherLeader(t *testing.T) {
	task := apply(t, Task{}, accepted(StatusQueued, 1))
	task = apply(t, task, next(task, EventCoalesced))
	e := next(task, EventCoalesced)
	e.CoalescedWith = &Coalesced{TaskID: "second", EnforcementID: "second.0"}
	task = apply(t, task, e)
	if n := task.Enforcements[0]; !n.Follows() || n.CoalescedWith.TaskID != "second" || n.Attempts != 0 {
		t.Errorf("%+v", n)
	}
}

func TestARepeatedOneIsAlone(t *testing.T) {
	task := apply(t, Task{}, accepted(StatusQueued, 1))
	task = apply(t, task, next(task, EventCoalesced))
	task = apply(t, task, next(task, EventClaimed))
	task = apply(t, task, next(task, EventFailed))
	if task.Enforcements[0].CoalescedWith == nil {
		t.Fatal("the failure does not tell whose it is")
	}
	e := next(task, EventRetried)
	e.Alone = true
	task = apply(t, task, e)
	if n := task.Enforcements[0]; n.CoalescedWith != nil || !n.Alone {
		t.Errorf("retried: %+v", n)
	}
}

func TestATaskIsNotCoalescedWithItselfOrNobody(t *testing.T) {
	task := taskAt(t, StatusQueued)
	for _, with := range []*Coalesced{nil, {TaskID: "t", EnforcementID: "t.0"}} {
		e := next(task, EventCoalesced)
		e.CoalescedWith = with
		if after, err := task.Apply(e); !errors.Is(err, ErrTransition) || after.Version != task.Version {
			t.Errorf("%+v: %v", with, err)
		}
	}
}

func TestHowLongASenderRepeatsItself(t *testing.T) {
	for _, c := range []struct {
		within, after time.Duration
		replays       bool
	}{
		{0, 24*time.Hour - 1, true}, {0, 24 * time.Hour, false}, {-1, time.Hour, true},
		{time.Minute, time.Minute - 1, true}, {time.Minute, time.Minute, false},
		{time.Minute, -time.Hour, true}, // the clock was set back: better once too seldom
	} {
		if got := (Repeat{Within: c.within}).Replays(noon, noon.Add(c.after)); got != c.replays {
			t.Errorf("within %s, after %s: %v", c.within, c.after, got)
		}
	}
}
