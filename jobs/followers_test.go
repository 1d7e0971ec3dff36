package jobs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// waiting submits a task and some that follow it, all of which wait because the system wants a pause.
func (h *house) waiting(o *hold, n int) (leader schemas.Task, followers []schemas.Task) {
	h.t.Helper()
	o.begin()
	leader = h.submit(request("jdoe", "a"))[0]
	for range n {
		f := h.submit(request("jdoe", "a"))[0]
		if !f.Enforcements[0].Follows() || f.Enforcements[0].CoalescedWith.TaskID != leader.ID {
			h.t.Fatalf("it does not wait: %+v", f.Enforcements[0])
		}
		followers = append(followers, f)
	}
	return leader, followers
}

func TestWhenTheFirstIsWithdrawnTheNextIsTheFirst(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 50)
	h.svc.HandleEnforcement(t.Context(), work(followers[0])) // a wake-up that is out of date wakes no follower
	if task, err := h.svc.Task(t.Context(), followers[0].ID); err != nil || task.Version != 2 {
		t.Errorf("version %d, %v", task.Version, err)
	}
	if _, err := h.svc.Cancel(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	alone := 0
	for _, f := range followers {
		task := h.until(f.ID, func(t schemas.Task) bool {
			c := t.Enforcements[0].CoalescedWith
			return c == nil || c.TaskID != leader.ID
		})
		if task.Status != schemas.StatusQueued {
			t.Fatalf("it is %s", task.Status)
		}
		if task.Enforcements[0].CoalescedWith == nil {
			alone++
		}
	}
	if alone != 1 {
		t.Errorf("%d go on by themselves", alone)
	}
	if late := h.submit(request("jdoe", "a"))[0]; !late.Enforcements[0].Follows() {
		t.Error("who comes now does not wait for the new first one")
	}
	paused.until.Store(nil)
	for _, f := range followers {
		if task := h.final(f.ID); task.Status != schemas.StatusSuccessful || len(h.callbacksOf(f.ID)) != 1 {
			t.Fatalf("it ended as %s", task.Status)
		}
	}
	if got := h.final(leader.ID); got.Status != schemas.StatusCancelled || h.systems.sets("a", "jdoe") != 1 {
		t.Errorf("the first is %s, the password was set %d times", got.Status, h.systems.sets("a", "jdoe"))
	}
}

// The one that goes on is the one that can do for the others.
func TestTheNextOneAsksForMost(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 0)
	no := false
	for i := range 6 {
		r := request("jdoe", "a")
		if i%2 == 0 {
			r.RevokeSessions = &no
		}
		followers = append(followers, h.submit(r)[0])
	}
	if _, err := h.svc.Cancel(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	for i, f := range followers {
		task := h.until(f.ID, func(t schemas.Task) bool {
			c := t.Enforcements[0].CoalescedWith
			return c == nil || c.TaskID != leader.ID
		})
		if alone := task.Enforcements[0].CoalescedWith == nil; alone != (i == 1) {
			t.Errorf("number %d goes on by itself: %v", i, alone)
		}
	}
	paused.until.Store(nil)
	for _, f := range followers {
		h.final(f.ID)
	}
	if n := h.systems.sets("a", "jdoe"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// A dry run leads nobody, and hides nobody who does.
func TestADryRunBetweenTwoDoesNotPartThem(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, _ := h.waiting(&paused, 0)
	dry := request("jdoe", "a")
	dry.DryRun = true
	if n := h.submit(dry)[0].Enforcements[0]; n.CoalescedWith != nil {
		t.Errorf("the dry run waits for %s", n.CoalescedWith.TaskID)
	}
	if n := h.submit(request("jdoe", "a"))[0].Enforcements[0]; !n.Follows() || n.CoalescedWith.TaskID != leader.ID {
		t.Errorf("%+v", n)
	}
	paused.until.Store(nil)
}

func TestAFollowerCanBeWithdrawnAlone(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 2)
	if _, err := h.svc.Cancel(t.Context(), followers[0].ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	paused.until.Store(nil)
	for id, want := range map[string]schemas.Status{leader.ID: schemas.StatusSuccessful, followers[0].ID: schemas.StatusCancelled, followers[1].ID: schemas.StatusSuccessful} {
		if task := h.final(id); task.Status != want {
			t.Errorf("it is %s, want %s", task.Status, want)
		}
	}
}

func TestWhenTheFirstFailsTheOthersFailAndWhoComesLaterBeginsAnew(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	refused := func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepPreflight {
			return schemas.Fail(schemas.CodePermissionMissing, "grant it")
		}
		return nil
	}
	h.systems.script(refused)
	leader, followers := h.waiting(&paused, 3)
	paused.until.Store(nil)
	if got := h.final(leader.ID); got.Code != schemas.CodePermissionMissing {
		t.Fatalf("the first: %s", got.Code)
	}
	for _, f := range followers {
		got := h.final(f.ID)
		if n := got.Enforcements[0]; got.Status != schemas.StatusUnsuccessful || got.Code != schemas.CodePermissionMissing || n.Attempts != 0 ||
			!strings.Contains(n.Detail, leader.ID) || !strings.Contains(n.Detail, "grant it") || len(h.callbacksOf(f.ID)) != 1 {
			t.Errorf("%s %s: %+v", got.Status, got.Code, n)
		}
	}
	h.systems.script(nil)
	later := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if n := later.Enforcements[0]; later.Status != schemas.StatusSuccessful || n.CoalescedWith != nil {
		t.Errorf("who comes later: %s, %+v", later.Status, n)
	}
	// A person who has a follower repeated gets a reset of his own, whatever was done since.
	if _, err := h.svc.Retry(t.Context(), followers[0].ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	again := h.final(followers[0].ID)
	if n := again.Enforcements[0]; again.Status != schemas.StatusSuccessful || n.CoalescedWith != nil || n.Attempts != 1 || h.systems.sets("a", "jdoe") != 2 {
		t.Errorf("repeated: %s, %+v, set %d times", again.Status, n, h.systems.sets("a", "jdoe"))
	}
	if _, err := h.svc.Retry(t.Context(), later.ID, "token:ops"); !errors.Is(err, schemas.ErrState) {
		t.Errorf("what succeeded was repeated: %v", err)
	}
}
