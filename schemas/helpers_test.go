package schemas

import (
	"fmt"
	"testing"
	"time"
)

// noon is when the tests' tasks begin; each event comes a second later.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// paths lead a pending enforcement to each status, by the events of real life.
var paths = map[Status][]EventType{
	StatusPendingApproval: nil,
	StatusQueued:          {EventApproved},
	StatusInProgress:      {EventApproved, EventClaimed},
	StatusSuccessful:      {EventApproved, EventClaimed, EventIntended, EventSucceeded},
	StatusUnsuccessful:    {EventApproved, EventClaimed, EventIntended, EventFailed},
	StatusRejected:        {EventRejected},
	StatusCancelled:       {EventCancelled},
	StatusNotFound:        {EventApproved, EventClaimed, EventNotFound},
	StatusNotApplicable:   {EventApproved, EventClaimed, EventNotApplicable},
}

// accepted opens task t on n systems, sys0, sys1 …
func accepted(begin Status, n int) Event {
	a := &Accepted{Source: "soar", IdempotencyKey: "k", Status: begin, Systems: make([]string, n),
		Request: Request{Account: Account{AccountUserName, "jdoe"}}.WithDefaults(), Callback: &CallbackPlan{URL: "https://soar.example.com/", Events: []string{CallbackFinal}}}
	for i := range n {
		a.Systems[i] = fmt.Sprintf("sys%d", i)
	}
	return Event{TaskID: "t", Seq: 1, At: noon, Type: EventAccepted, Actor: "source:soar", Accepted: a}
}

// next makes the event that follows a task's last one.
func next(t Task, on EventType) Event {
	e := Event{TaskID: "t", Seq: t.Version + 1, At: noon.Add(time.Duration(t.Version) * time.Second), Type: on, Actor: "worker:test"}
	if on == EventCoalesced {
		e.CoalescedWith = &Coalesced{TaskID: "first", EnforcementID: "first.0"}
	}
	return e
}

func apply(t *testing.T, task Task, e Event) Task {
	t.Helper()
	after, err := task.Apply(e)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// taskAt gives a task whose enforcements stand where they should, each led there by events of its own.
func taskAt(t *testing.T, statuses ...Status) Task {
	t.Helper()
	task := apply(t, Task{}, accepted(StatusPendingApproval, len(statuses)))
	for i, s := range statuses {
		for _, on := range paths[s] {
			e := next(task, on)
			e.System = task.Enforcements[i].System
			task = apply(t, task, e)
		}
		if got := task.Enforcements[i].Status; got != s {
			t.Fatalf("the path to %s leads to %s", s, got)
		}
	}
	return task
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
