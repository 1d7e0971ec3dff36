package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// busy is a script by which the system a takes no reset as long as it is on.
type busy struct{ off atomic.Bool }

func (b *busy) script(system string, step schemas.StepName, _ string) error {
	if system == "a" && step == schemas.StepReset && !b.off.Load() {
		f := schemas.Fail(schemas.CodeRateLimited, "slow down")
		f.RetryAfter = 50 * time.Millisecond
		return f
	}
	return nil
}

// names says which account of each system is meant by a user name.
func (h *house) means(name, id string) {
	h.systems.mu.Lock()
	defer h.systems.mu.Unlock()
	if h.systems.known == nil {
		h.systems.known = map[schemas.Account]string{}
	}
	h.systems.known[schemas.Account{Type: schemas.AccountUserName, Value: name}] = id
}

func follows(system string) func(schemas.Task) bool {
	return func(t schemas.Task) bool { n := t.On(system); return n != nil && n.Follows() }
}

// The name of the first one passes to somebody else while he waits. Who was called otherwise is still to be reset.
func TestWhoWasFoundIsResetAlthoughTheFirstCameToSomebodyElse(t *testing.T) {
	h := newHouse(t, patient, stormy)
	h.means("old", "victim")
	h.means("alias", "victim")
	var full busy
	h.systems.script(full.script)
	leader := h.submit(request("old", "a"))[0]
	h.until(leader.ID, func(t schemas.Task) bool { return t.Enforcements[0].Code == schemas.CodeRateLimited })
	follower := h.submit(request("alias", "a"))[0]
	h.until(follower.ID, follows("a"))
	third := h.submit(request("alias", "a"))[0] // waits for the first too, by the follower's name
	h.means("old", "other")
	full.off.Store(true)
	if got := h.final(leader.ID); got.Status != schemas.StatusSuccessful || got.Enforcements[0].Identity.ID != "other" {
		t.Fatalf("the first is %s: %+v", got.Status, got.Enforcements[0])
	}
	for _, id := range []string{follower.ID, third.ID} {
		if got := h.final(id); got.Status != schemas.StatusSuccessful || got.Enforcements[0].Identity.ID != "victim" {
			t.Errorf("it is %s: %+v", got.Status, got.Enforcements[0])
		}
	}
	if h.systems.sets("a", "victim") != 1 {
		t.Errorf("the password was set %d times", h.systems.sets("a", "victim"))
	}
}

// Nor does somebody share the end of a task that once went to reset his account and has come to another since.
func TestWhoComesLaterDoesNotShareTheResetOfSomebodyElse(t *testing.T) {
	h := newHouse(t, patient, stormy)
	h.means("old", "victim")
	h.means("alias", "victim")
	h.systems.script(func(_ string, step schemas.StepName, id string) error {
		if step == schemas.StepReset && id == "victim" {
			return schemas.Fail(schemas.CodePasswordRejected, "no")
		}
		return nil
	})
	leader := h.submit(request("old", "a"))[0]
	h.final(leader.ID)
	h.systems.script(nil)
	h.means("old", "other")
	if _, err := h.svc.Retry(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	if got := h.final(leader.ID); got.Status != schemas.StatusSuccessful {
		t.Fatalf("the first is %s", got.Status)
	}
	got := h.final(h.submit(request("alias", "a"))[0].ID)
	if n := got.Enforcements[0]; n.Identity.ID != "victim" || n.CoalescedWith != nil || h.systems.sets("a", "victim") != 1 {
		t.Errorf("it is %s: %+v", got.Status, n)
	}
}

// An account that is copied is known at its source by another name. The name of the copy is somebody else there.
func TestTheNameOfACopyIsNotThatOfItsSource(t *testing.T) {
	h := newHouse(t, patient, stormy, func(h *house) { h.rules = map[string]jobs.SystemRule{"b": {Source: "a"}} })
	h.synced("b", "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "anna"})
	var full busy
	h.systems.script(full.script)
	leader := h.submit(request("anna", "a"))[0]
	h.until(leader.ID, func(t schemas.Task) bool { return t.Enforcements[0].Code == schemas.CodeRateLimited })
	routed := h.submit(request("jdoe", "b"))[0]
	h.until(routed.ID, follows("a"))
	if _, err := h.svc.Cancel(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	h.until(routed.ID, func(t schemas.Task) bool { return t.On("a").CoalescedWith == nil })
	namesake := h.submit(request("jdoe", "a"))[0]
	if n := namesake.On("a"); n.CoalescedWith != nil {
		t.Errorf("it waits for somebody else: %+v", n.CoalescedWith)
	}
	full.off.Store(true)
	for id, want := range map[string]string{routed.ID: "anna", namesake.ID: "jdoe"} {
		if got := h.final(id); got.Status != schemas.StatusSuccessful || got.On("a").Identity.ID != want || h.systems.sets("a", want) != 1 {
			t.Errorf("it is %s: %+v", got.Status, got.On("a"))
		}
	}
}

// The same where the first was to act on both, and did not find the account by that name.
func TestWhoWasNotFoundLeadsNobodyOfThatName(t *testing.T) {
	h := newHouse(t, patient, stormy, func(h *house) { h.rules = map[string]jobs.SystemRule{"b": {Source: "a"}} })
	h.synced("b", "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "anna"})
	var full busy
	h.systems.script(func(system string, step schemas.StepName, id string) error {
		if system == "a" && step == schemas.StepResolve && id == "jdoe" {
			return schemas.Fail(schemas.CodeAccountNotFound, "nobody is called so")
		}
		return full.script(system, step, id)
	})
	first := h.submit(request("jdoe", "a", "b"))[0]
	h.until(first.ID, func(t schemas.Task) bool {
		return t.On("a").Account != nil && t.On("a").Code == schemas.CodeRateLimited
	})
	h.systems.script(full.script) // somebody gets that name
	namesake := h.submit(request("jdoe", "a"))[0]
	full.off.Store(true)
	for id, want := range map[string]string{first.ID: "anna", namesake.ID: "jdoe"} {
		if got := h.final(id); got.Status != schemas.StatusSuccessful || got.On("a").Identity.ID != want || h.systems.sets("a", want) != 1 {
			t.Errorf("it is %s: %+v", got.Status, got.On("a"))
		}
	}
}

// What is over at once is counted and logged as any other end.
func TestWhatIsOverAtOnceIsCounted(t *testing.T) {
	h := newHouse(t, patient, stormy)
	for range 3 {
		h.final(h.submit(request("jdoe", "a"))[0].ID)
	}
	if ended, shared := h.counted(t, "resetd_enforcements_finished_total"), h.counted(t, "resetd_tasks_coalesced_total"); ended != 3 || shared != 2 {
		t.Errorf("%v ended, %v of them coalesced", ended, shared)
	}
}
