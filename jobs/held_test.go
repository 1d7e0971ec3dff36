package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// hold is what the connectors say about the system a.
type hold struct{ until, silent atomic.Pointer[time.Time] }

func (o *hold) on(system string) (time.Time, bool) {
	if until := o.until.Load(); system == "a" && until != nil {
		return *until, o.silent.Load() != nil
	}
	return time.Time{}, false
}

func (o *hold) begin() {
	end := time.Now().Add(time.Hour)
	o.until.Store(&end)
}

// history counts the events of tasks by type.
func (h *house) history(tasks []schemas.Task) map[schemas.EventType]int {
	h.t.Helper()
	out := map[schemas.EventType]int{}
	for _, task := range tasks {
		events, err := h.svc.Events(h.t.Context(), task.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, e := range events {
			out[e.Type]++
		}
	}
	return out
}

func many(n int, system string) (all []schemas.Request) {
	for range n {
		r := request("jdoe", system)
		r.Callback = nil
		all = append(all, r)
	}
	return all
}

func TestWorkOfAPausedSystemWaitsWithoutATraceAndHoldsUpNoOther(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, func(h *house) { h.held = paused.on })
	paused.begin()
	waiting := h.submit(many(150, "a")...) // more than the window
	for _, task := range h.submit(many(20, "b")...) {
		if got := h.final(task.ID); got.Status != schemas.StatusSuccessful {
			t.Errorf("the other system's task is %s", got.Status)
		}
	}
	time.Sleep(2 * time.Second) // many sweeps, and longer than a wake-up may be outstanding
	if got := h.history(waiting); got[schemas.EventAccepted] != 150 || len(got) != 1 {
		t.Errorf("in the pause the history grew: %v", got)
	}
	paused.until.Store(nil)
	for _, task := range waiting {
		if got := h.final(task.ID); got.Status != schemas.StatusSuccessful {
			t.Fatalf("after the pause the task is %s", got.Status)
		}
	}
	if got := h.history(waiting); got[schemas.EventClaimed] != 150 || got[schemas.EventDeferred] != 0 || got[schemas.EventSucceeded] != 150 {
		t.Errorf("after the pause the history is %v", got)
	}
}

func TestWakeUpsThatWereOnTheirWayWhenAPauseBeganAreNotClaimed(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, func(h *house) { h.held = paused.on })
	begun := make(chan struct{}, 100)
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepResolve {
			begun <- struct{}{}
			paused.begin()
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	})
	tasks := h.submit(many(100, "a")...)
	<-begun
	time.Sleep(time.Second)
	if got := h.history(tasks)[schemas.EventClaimed]; got == 0 || got > 2*8 { // of eight workers
		t.Errorf("%d tasks were claimed although the system is paused", got)
	}
	h.systems.script(nil)
	paused.until.Store(nil)
	for _, task := range tasks {
		h.final(task.ID)
	}
	if got := h.history(tasks); got[schemas.EventDeferred] != 0 || got[schemas.EventClaimed] != 100 {
		t.Errorf("the history is %v", got)
	}
}

// A system that stays silent must not keep its tasks open for ever: each is begun now and then, fails at once, and counts.
func TestTasksOfASilentSystemAreBegunNowAndThen(t *testing.T) {
	var silent hold
	h := newHouse(t, patient, func(h *house) { h.held = silent.on })
	silent.silent.Store(&time.Time{})
	silent.begin()
	h.systems.script(func(system string, _ schemas.StepName, _ string) error {
		if system == "a" {
			return schemas.Fail(schemas.CodeUnavailable, "nothing was sent")
		}
		return nil
	})
	began := time.Now()
	task := h.until(h.submit(many(1, "a")...)[0].ID, func(t schemas.Task) bool { return t.Enforcements[0].Attempts > 0 })
	if took := time.Since(began); took < quick.HeldFor || task.Enforcements[0].Code != schemas.CodeUnavailable && task.Enforcements[0].Code != "" {
		t.Errorf("begun after %s: %+v", took, task.Enforcements[0])
	}
	h.until(task.ID, func(t schemas.Task) bool { return t.Enforcements[0].Attempts > 1 })
	h.systems.script(nil)
	silent.until.Store(nil)
	if got := h.final(task.ID); got.Status != schemas.StatusSuccessful {
		t.Errorf("after it is back the task is %s", got.Status)
	}
}
