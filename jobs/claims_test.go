package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

func work(task schemas.Task) jobs.Work {
	n := task.Enforcements[0]
	return jobs.Work{ID: n.ID, TaskID: task.ID, Queue: jobs.QueueOf(n.System), Generation: n.Generation}
}

// A wake-up that comes twice, or that another clock holds for due, must not take work away from a worker that is at it.
func TestClaimThatStandsIsNotTaken(t *testing.T) {
	h := newHouse(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset && calls.Add(1) == 1 {
			close(inside)
			<-goOn
		}
		return nil
	})
	id := h.submit(request("jdoe", "a"))[0].ID
	<-inside
	task, err := h.svc.Task(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.svc.HandleEnforcement(t.Context(), work(task))
	}
	time.Sleep(3 * quick.Lease) // sweeps pass, and the claim is renewed
	close(goOn)
	task = h.final(id)
	if task.Status != schemas.StatusSuccessful || task.Enforcements[0].Attempts != 1 || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s after %d claims, password set %d times", task.Status, task.Enforcements[0].Attempts, h.systems.sets("a", "jdoe"))
	}
}

func TestWakeUpBeforeItsTimeIsIgnored(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(string, schemas.StepName, string) error {
		f := schemas.Fail(schemas.CodeRateLimited, "later")
		f.RetryAfter = 30 * time.Second
		return f
	})
	id := h.submit(request("jdoe", "a"))[0].ID
	task := h.until(id, func(task schemas.Task) bool { return !task.Enforcements[0].NotBefore.IsZero() })
	h.svc.HandleEnforcement(t.Context(), work(task))
	again, err := h.svc.Task(t.Context(), id)
	if err != nil || again.Version != task.Version {
		t.Fatalf("version %d became %d, %v", task.Version, again.Version, err)
	}
}

// That a system asks for a pause when it is asked about a doubt says nothing of the reset that was sent before.
func TestPauseDuringTheVerificationKeepsTheDoubt(t *testing.T) {
	h := newHouse(t)
	var verified, lost atomic.Bool
	h.systems.after = func(string, string) error {
		if lost.CompareAndSwap(false, true) {
			return schemas.Fail(schemas.CodeTimedOut, "no answer")
		}
		return nil
	}
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepVerify && verified.CompareAndSwap(false, true) {
			return schemas.Fail(schemas.CodeRateLimited, "slow down")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s, password set %d times", task.Status, h.systems.sets("a", "jdoe"))
	}
}

func TestPauseThatASystemAsksForIsBounded(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(string, schemas.StepName, string) error {
		f := schemas.Fail(schemas.CodeRateLimited, "later")
		f.RetryAfter = 1 << 62
		return f
	})
	id := h.submit(request("jdoe", "a"))[0].ID
	task := h.until(id, func(task schemas.Task) bool { return !task.Enforcements[0].NotBefore.IsZero() })
	if wait := time.Until(task.Enforcements[0].NotBefore); wait > quick.WaitFor {
		t.Errorf("the next attempt is in %s, the bound is %s", wait, quick.WaitFor)
	}
}

func TestDeliveryThatSetsOffTooMuchIsRefused(t *testing.T) {
	h := newHouse(t)
	all := make([]schemas.Request, 2501) // on two systems each
	for i := range all {
		all[i] = request("jdoe")
	}
	_, _, err := h.svc.Submit(t.Context(), submission("big", all...))
	if p, ok := err.(*schemas.Problem); !ok || p.Status != 422 {
		t.Fatalf("it gives %v", err)
	}
}
