package schemas

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestAPlanWantsWhatItNames(t *testing.T) {
	all := append(TaskStatuses(), "")
	for name, c := range map[string]struct {
		plan *CallbackPlan
		want []Status
	}{
		"no plan":          {nil, nil},
		"no events":        {&CallbackPlan{URL: "https://a"}, nil},
		"final":            {&CallbackPlan{Events: []string{"final"}}, TaskStatuses()[3:]},
		"one status":       {&CallbackPlan{Events: []string{"queued"}}, []Status{StatusQueued}},
		"one final status": {&CallbackPlan{Events: []string{"rejected"}}, []Status{StatusRejected}},
		"several":          {&CallbackPlan{Events: []string{"in_progress", "final"}}, TaskStatuses()[2:]},
		"both names of it": {&CallbackPlan{Events: []string{"successful", "final"}}, TaskStatuses()[3:]},
	} {
		for _, s := range all {
			if got := c.plan.Wants(s); got != slices.Contains(c.want, s) {
				t.Errorf("%s: wants %q is %v", name, s, got)
			}
		}
	}
}

func TestACallbackIsDueWhenAWantedStatusIsReachedAndOnlyThen(t *testing.T) {
	plan := &CallbackPlan{URL: "https://soar.example.com/", Events: []string{"final", "in_progress"}}
	for _, before := range append(TaskStatuses(), "") {
		for _, after := range TaskStatuses() {
			want := before != after && (after.Final() || after == StatusInProgress)
			if got := CallbackDue(Task{Status: before}, Task{Status: after, Callback: plan}); got != want {
				t.Errorf("%q to %s: due is %v", before, after, got)
			}
			if CallbackDue(Task{Status: before, Callback: plan}, Task{Status: after}) {
				t.Errorf("%q to %s: due without a plan", before, after)
			}
		}
	}
}

func TestALifeOwesEachCallbackOnce(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		want   []Status
	}{
		"final alone": {[]string{"final"}, []Status{StatusUnsuccessful, StatusSuccessful}},
		"everything": {[]string{"final", "queued", "in_progress"}, []Status{StatusQueued, StatusInProgress, StatusQueued, StatusInProgress,
			StatusUnsuccessful, StatusQueued, StatusInProgress, StatusSuccessful}},
	} {
		first := accepted(StatusQueued, 1)
		first.Accepted.Callback.Events = c.events
		task := Task{}
		var got []Status
		step := func(e Event) {
			after := apply(t, task, e)
			if CallbackDue(task, after) {
				got = append(got, after.Status)
			}
			task = after
		}
		step(first)
		for _, on := range []EventType{EventClaimed, EventIntended, EventDeferred, EventClaimed, EventFailed, EventRetried, EventClaimed, EventSucceeded} {
			step(next(task, on))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestAMessageTellsTheTaskAsItStands(t *testing.T) {
	for _, s := range EnforcementStatuses() {
		task := taskAt(t, s)
		m := task.Message()
		if m.Type != "password_reset."+string(task.Status) || !m.Timestamp.Equal(task.UpdatedAt) {
			t.Errorf("%s: got %s at %s", s, m.Type, m.Timestamp)
		}
		if strings.Trim(m.Type, "abcdefghijklmnopqrstuvwxyz_.") != "" { // Standard Webhooks: [a-zA-Z0-9_.]
			t.Errorf("%q is no event type", m.Type)
		}
		text := encode(t, m)
		if again := encode(t, task.Message()); again != text {
			t.Errorf("%s: two encodings differ:\n%s\n%s", s, text, again)
		}
		var back CallbackMessage
		if p := Decode([]byte(text), &back); p != nil || encode(t, back) != text || back.Data.ID != "t" {
			t.Errorf("%s: comes back as %+v, %v", s, back, p)
		}
	}
}

// The id of a callback becomes the webhook-id of its attempts: it is told apart by what it tells, and has the one form
// that is signed.
func TestACallbacksIDCanBeSigned(t *testing.T) {
	const task = "0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b"
	one, two := CallbackID(task, 3), CallbackID(task, 4)
	if one == two || one != CallbackID(task, 3) {
		t.Errorf("got %s and %s", one, two)
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	for _, id := range []string{one, CallbackID(task, 1<<31)} {
		if !form.MatchString(id) {
			t.Errorf("%s cannot be signed", id)
		}
	}
}
