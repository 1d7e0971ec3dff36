package schemas

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestApplyRefusesAnEventOutOfOrder(t *testing.T) {
	task := taskAt(t, StatusInProgress)
	for _, seq := range []int{-1, 0, 1, task.Version, task.Version + 2} {
		e := next(task, EventSucceeded)
		e.Seq = seq
		if after, err := task.Apply(e); !errors.Is(err, ErrTransition) || after.Version != task.Version {
			t.Errorf("event %d after version %d: got %v", seq, task.Version, err)
		}
	}
}

func TestApplyRefusesAnEventOfAnotherTaskOrSystem(t *testing.T) {
	task := taskAt(t, StatusInProgress)
	foreign, astray := next(task, EventSucceeded), next(task, EventSucceeded)
	foreign.TaskID, astray.System = "other", "sys7"
	for _, e := range []Event{foreign, astray} {
		if _, err := task.Apply(e); !errors.Is(err, ErrTransition) {
			t.Errorf("event of task %q on %q: got %v", e.TaskID, e.System, err)
		}
	}
}

func TestAnEventWithoutASystemMovesEveryEnforcementThatItFits(t *testing.T) {
	task := taskAt(t, StatusQueued, StatusInProgress, StatusPendingApproval, StatusSuccessful)
	after := apply(t, task, next(task, EventCancelled))
	want := []Status{StatusCancelled, StatusCancelled, StatusCancelled, StatusSuccessful}
	for i, n := range after.Enforcements {
		if n.Status != want[i] {
			t.Errorf("%s is %s, want %s", n.System, n.Status, want[i])
		}
	}
	after = apply(t, task, next(task, EventApproved))
	if after.Enforcements[2].Status != StatusQueued || after.Enforcements[0].Status != StatusQueued || after.Version != task.Version+1 {
		t.Errorf("approved moved the wrong ones: %+v", after.Enforcements)
	}
}

func TestApplyKeepsTheTimesOfALife(t *testing.T) {
	task := apply(t, Task{}, accepted(StatusQueued, 1))
	if !task.CreatedAt.Equal(noon) || !task.UpdatedAt.Equal(noon) || task.ID != "t" || task.Version != 1 {
		t.Fatalf("accepted: %+v", task)
	}
	task = apply(t, task, next(task, EventClaimed))
	first := task.Enforcements[0].StartedAt
	deferred := next(task, EventDeferred)
	deferred.DueAt = noon.Add(time.Minute)
	task = apply(t, task, deferred)
	if n := task.Enforcements[0]; !n.NotBefore.Equal(deferred.DueAt) || n.Status != StatusQueued || !n.FinishedAt.IsZero() {
		t.Errorf("deferred: %+v", n)
	}
	task = apply(t, task, next(task, EventClaimed))
	if n := task.Enforcements[0]; !n.NotBefore.IsZero() || !n.StartedAt.Equal(first) || n.Attempts != 2 {
		t.Errorf("claimed again: %+v", n)
	}
	task = apply(t, task, next(task, EventClaimed))
	if n := task.Enforcements[0]; n.Attempts != 3 {
		t.Errorf("taken over from a dead worker: %d attempts", n.Attempts)
	}
	task = apply(t, task, next(task, EventSucceeded))
	if n := task.Enforcements[0]; !n.FinishedAt.Equal(task.UpdatedAt) || !task.FinishedAt.Equal(n.FinishedAt) || !task.CreatedAt.Equal(noon) {
		t.Errorf("succeeded: %+v", task)
	}
}

func TestAWaitThatTheSystemAskedForDoesNotCount(t *testing.T) {
	task := apply(t, Task{}, accepted(StatusQueued, 1))
	for round := range 5 {
		task = apply(t, task, next(task, EventClaimed))
		e := next(task, EventDeferred)
		e.Waited, e.Code = round%2 == 0, CodeUnavailable
		task = apply(t, task, e)
	}
	if got := task.Enforcements[0].Attempts; got != 2 {
		t.Errorf("5 claims, 3 of them put off on request, are %d attempts", got)
	}
}

func TestARateLimitLeavesNoDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		code  Code
		steps []Step
		doubt bool
	}{
		"the verification of a doubt was too much":       {CodeRateLimited, []Step{{Name: StepVerify, Code: CodeRateLimited}}, true},
		"no step tells what was refused":                 {CodeRateLimited, nil, true},
		"nobody knows":                                   {CodeTimedOut, nil, true},
		"it was taken, and reading it back was too much": {CodeRateLimited, []Step{{Name: StepReset, Code: CodeOK}}, true},
		"it was refused, and the step says so":           {CodeRateLimited, []Step{{Name: StepReset, Code: CodeRateLimited}}, false},
	} {
		task := taskAt(t, StatusInProgress)
		intended := next(task, EventIntended)
		intended.Intent = &Evidence{Marker: "before"}
		task = apply(t, task, intended)
		if n := task.Enforcements[0]; !n.InDoubt() || !n.IntentAt.Equal(intended.At) {
			t.Fatalf("an intent is no doubt: %+v", n)
		}
		e := next(task, EventDeferred)
		e.Code, e.Steps = c.code, c.steps
		if got := apply(t, task, e).Enforcements[0].InDoubt(); got != c.doubt {
			t.Errorf("%s: in doubt is %v", name, got)
		}
	}
}

func TestARetryBeginsAnew(t *testing.T) {
	for _, from := range []Status{StatusUnsuccessful, StatusNotFound} {
		task := taskAt(t, StatusInProgress)
		intended := next(task, EventIntended)
		intended.Intent, intended.Steps, intended.Identity = &Evidence{MustChange: true}, []Step{{Name: StepResolve, Code: CodeOK}}, &Identity{ID: "1"}
		task = apply(t, task, intended)
		on := map[Status]EventType{StatusUnsuccessful: EventFailed, StatusNotFound: EventNotFound}[from]
		last := next(task, on)
		last.Code, last.Detail = CodeNeedsReview, "look at it"
		task = apply(t, task, last)
		retry := next(task, EventRetried)
		retry.Generation = 7
		task = apply(t, task, retry)
		n := task.Enforcements[0]
		if n.Status != StatusQueued || n.Attempts != 0 || n.Steps != nil || n.Intent != nil || n.InDoubt() || n.Generation != 7 || n.Code != "" || n.Detail != "" {
			t.Errorf("retried from %s: %+v", from, n)
		}
		if !n.StartedAt.IsZero() || !n.IntentAt.IsZero() || !n.FinishedAt.IsZero() || !n.NotBefore.IsZero() {
			t.Errorf("retried from %s, times are left: %+v", from, n)
		}
		if task.Status != StatusQueued || task.Code != "" || !task.FinishedAt.IsZero() {
			t.Errorf("the task is %s, code %q, finished at %v", task.Status, task.Code, task.FinishedAt)
		}
	}
}

func TestStepsAreMergedToTheLatestOfEachInTheOrderOfTheWalk(t *testing.T) {
	task := taskAt(t, StatusInProgress)
	report := func(on EventType, steps ...Step) {
		e := next(task, on)
		e.Steps = steps
		task = apply(t, task, e)
	}
	report(EventIntended, Step{Name: StepResolve, Code: CodeOK, Detail: "1"}, Step{Name: StepClassify, Code: CodeOK, Detail: "1"}, Step{Name: StepPreflight, Code: CodeOK, Detail: "1"})
	report(EventDeferred, Step{Name: StepReset, Code: CodeTimedOut, Detail: "1"})
	report(EventClaimed)
	report(EventIntended, Step{Name: StepClassify, Code: CodeOK, Detail: "2"}, Step{Name: StepResolve, Code: CodeOK, Detail: "2"})
	report(EventSucceeded, Step{Name: StepVerify, Code: CodeOK, Detail: "2"}, Step{Name: StepRevoke, Code: CodeUnsupported, Detail: "2"}, Step{Name: StepReset, Code: CodeOK, Detail: "2"})
	var got []string
	for _, s := range task.Enforcements[0].Steps {
		got = append(got, string(s.Name)+s.Detail)
	}
	if want := []string{"resolve2", "classify2", "preflight1", "reset2", "revoke2", "verify2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEnforcementIsFoundByItsID(t *testing.T) {
	task := taskAt(t, StatusQueued, StatusInProgress)
	if n := task.Enforcement(EnforcementID("t", 1)); n == nil || n.System != "sys1" {
		t.Errorf("got %+v", n)
	}
	if n := task.Enforcement("t.2"); n != nil {
		t.Errorf("got %+v", n)
	}
}

// Every version of every random life is kept and looked at again at its end: Apply must neither change its receiver nor
// share memory with it that a later event writes to. The same events must give the same task.
func TestApplyChangesNeitherItsReceiverNorItsEvent(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		versions, events := randomLife(t, rnd)
		again := Task{}
		for i, e := range events {
			if before := versions[i].encoded; encode(t, versions[i].task) != before {
				t.Fatalf("seed %d: version %d was changed later", seed, i)
			}
			if encode(t, e) != versions[i].event {
				t.Fatalf("seed %d: event %d was changed", seed, i+1)
			}
			again = apply(t, again, e)
		}
		if last := versions[len(versions)-1].task; !reflect.DeepEqual(again, last) {
			t.Fatalf("seed %d: the same events gave another task", seed)
		}
	}
}

type version struct {
	task    Task
	encoded string
	event   string // the one applied to it
}

// randomLife applies random events, legal ones and others, and gives what was taken.
func randomLife(t *testing.T, rnd *rand.Rand) (versions []version, events []Event) {
	t.Helper()
	task := Task{}
	e := accepted([]Status{StatusQueued, StatusPendingApproval}[rnd.IntN(2)], 1+rnd.IntN(3))
	for range 60 {
		text, event := encode(t, task), encode(t, e)
		after, err := task.Apply(e)
		if encode(t, task) != text {
			t.Fatalf("Apply changed its receiver with %s", event)
		}
		if err == nil {
			versions, events = append(versions, version{task, text, event}), append(events, e)
			task = after
		}
		e = next(task, EventTypes()[rnd.IntN(len(EventTypes()))])
		if rnd.IntN(3) > 0 {
			e.System = task.Enforcements[rnd.IntN(len(task.Enforcements))].System
		}
		for range rnd.IntN(3) {
			e.Steps = append(e.Steps, Step{Name: walk[rnd.IntN(len(walk))], Code: CodeOK, At: e.At, TookMS: rnd.Int64N(100)})
		}
		e.Intent, e.Identity, e.DueAt = &Evidence{Marker: e.Actor}, &Identity{ID: "x"}, e.At.Add(time.Minute)
	}
	versions = append(versions, version{task: task, encoded: encode(t, task)})
	return versions, events
}
