package schemas

import (
	"slices"
	"testing"
)

// statusByDesign is design §1 once more, in other words than conclude's.
func statusByDesign(of []Status) Status {
	has := func(any ...Status) bool {
		return slices.ContainsFunc(of, func(s Status) bool { return slices.Contains(any, s) })
	}
	only := func(s Status) bool { return !slices.ContainsFunc(of, func(o Status) bool { return o != s }) }
	won, failed := has(StatusSuccessful), has(StatusUnsuccessful, StatusRejected, StatusCancelled)
	switch {
	case only(StatusQueued), only(StatusPendingApproval), only(StatusRejected), only(StatusCancelled):
		return of[0]
	case has(StatusInProgress):
		return StatusInProgress
	case has(StatusPendingApproval):
		return StatusPendingApproval
	case has(StatusQueued): // begun, and not done
		return StatusInProgress
	case won && failed:
		return StatusPartiallySuccessful
	case won:
		return StatusSuccessful
	}
	return StatusUnsuccessful
}

func TestTaskStatusFollowsFromEveryCombinationOfEnforcements(t *testing.T) {
	count := map[Status]int{}
	var try func(have []Status)
	try = func(have []Status) {
		if len(have) > 0 {
			task := taskAt(t, have...)
			want := statusByDesign(have)
			if task.Status != want {
				t.Errorf("%v: got %s, want %s", have, task.Status, want)
			}
			if task.FinishedAt.IsZero() == want.Final() || want.Final() && !task.FinishedAt.Equal(task.UpdatedAt) {
				t.Errorf("%v: %s, finished at %v", have, want, task.FinishedAt)
			}
			if !want.Final() && (task.Code != "" || task.Detail != "") {
				t.Errorf("%v: not final, and its code is %q (%q)", have, task.Code, task.Detail)
			}
			count[want]++
		}
		if len(have) < 3 {
			for _, s := range EnforcementStatuses() {
				try(append(slices.Clone(have), s))
			}
		}
	}
	try(nil)
	total := 0
	for _, s := range TaskStatuses() {
		t.Logf("%-21s %3d of the combinations", s, count[s])
		if count[s] == 0 {
			t.Errorf("no combination makes a task %s", s)
		}
		total += count[s]
	}
	if total != 9+9*9+9*9*9 {
		t.Errorf("%d combinations", total)
	}
}

// end carries a queued enforcement to its end with a code.
func end(t *testing.T, task Task, i int, on EventType, code Code, detail string) Task {
	t.Helper()
	for _, step := range []EventType{EventClaimed, on} {
		if on == EventRejected && step == EventClaimed {
			continue
		}
		e := next(task, step)
		e.System = task.Enforcements[i].System
		if step == on {
			e.Code, e.Detail = code, detail
		}
		task = apply(t, task, e)
	}
	return task
}

func TestTheWorstFailureSpeaksForTheTask(t *testing.T) {
	for _, a := range Codes() {
		for _, b := range Codes() {
			task := apply(t, Task{}, accepted(StatusQueued, 2))
			task = end(t, end(t, task, 0, EventFailed, a, "first"), 1, EventFailed, b, "second")
			want, detail := a, "sys0: first"
			if b.rule().rank > a.rule().rank {
				want, detail = b, "sys1: second"
			}
			if task.Code != want || task.Detail != detail {
				t.Errorf("%s and %s: got %s (%s)", a, b, task.Code, task.Detail)
			}
		}
	}
}

func TestWhatACodeSaysOfATask(t *testing.T) {
	type ending struct {
		on   EventType
		code Code
	}
	ok, already := ending{EventSucceeded, CodeOK}, ending{EventSucceeded, CodeAlreadyInForce}
	failed, withdrawn := ending{EventFailed, CodeUnenforced}, ending{EventCancelled, ""}
	unknown, elsewhere := ending{EventNotFound, CodeAccountNotFound}, ending{EventNotApplicable, CodeNotApplicable}
	for name, c := range map[string]struct {
		endings []ending
		status  Status
		code    Code
	}{
		"done":                              {[]ending{ok}, StatusSuccessful, CodeOK},
		"all of it was so already":          {[]ending{already, already}, StatusSuccessful, CodeAlreadyInForce},
		"some of it was so already":         {[]ending{already, ok}, StatusSuccessful, CodeOK},
		"done, unknown elsewhere":           {[]ending{unknown, ok, elsewhere}, StatusSuccessful, CodeOK},
		"so already, unknown elsewhere":     {[]ending{unknown, already}, StatusSuccessful, CodeAlreadyInForce},
		"done and failed":                   {[]ending{ok, failed}, StatusPartiallySuccessful, CodeUnenforced},
		"done, failed and unknown":          {[]ending{ok, failed, unknown}, StatusPartiallySuccessful, CodeUnenforced},
		"known nowhere":                     {[]ending{unknown, unknown}, StatusUnsuccessful, CodeAccountNotFound},
		"known nowhere where it matters":    {[]ending{elsewhere, unknown}, StatusUnsuccessful, CodeAccountNotFound},
		"nowhere at home":                   {[]ending{elsewhere}, StatusUnsuccessful, CodeNotApplicable},
		"withdrawn":                         {[]ending{withdrawn, withdrawn}, StatusCancelled, ""},
		"a dry run":                         {[]ending{{EventCancelled, CodeOK}}, StatusCancelled, CodeOK},
		"withdrawn here, failed there":      {[]ending{withdrawn, failed}, StatusUnsuccessful, CodeUnenforced},
		"failed here, withdrawn there":      {[]ending{failed, withdrawn}, StatusUnsuccessful, CodeUnenforced},
		"done, failed, and withdrawn":       {[]ending{ok, withdrawn, failed}, StatusPartiallySuccessful, CodeUnenforced},
		"done, and withdrawn elsewhere":     {[]ending{ok, withdrawn}, StatusPartiallySuccessful, ""},
		"refused by a rule":                 {[]ending{{EventRejected, CodeProtected}}, StatusRejected, CodeProtected},
		"refused here, unknown there":       {[]ending{{EventRejected, CodeBrake}, unknown}, StatusUnsuccessful, CodeBrake},
		"a code of a later version of ours": {[]ending{{EventFailed, "unheard_of"}, failed}, StatusUnsuccessful, "unheard_of"},
	} {
		task := apply(t, Task{}, accepted(StatusQueued, len(c.endings)))
		for i, e := range c.endings {
			task = end(t, task, i, e.on, e.code, "")
		}
		if task.Status != c.status || task.Code != c.code {
			t.Errorf("%s: got %s with code %q, want %s with %q", name, task.Status, task.Code, c.status, c.code)
		}
		if task.Status == StatusSuccessful && task.Detail != "" {
			t.Errorf("%s: a success explains itself: %q", name, task.Detail)
		}
	}
}
