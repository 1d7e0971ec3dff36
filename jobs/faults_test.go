package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// An answer that is lost after the change was made is the hardest case: the reset must not be sent again.
func TestLostAnswerIsVerifiedAndNotRepeated(t *testing.T) {
	h := newHouse(t)
	var lost atomic.Bool
	h.systems.after = func(string, string) error {
		if lost.CompareAndSwap(false, true) {
			return schemas.Fail(schemas.CodeTimedOut, "no answer")
		}
		return nil
	}
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s %s, password set %d times", task.Status, task.Detail, h.systems.sets("a", "jdoe"))
	}
}

func TestCallThatNeverArrivedIsSentAgain(t *testing.T) {
	h := newHouse(t)
	var lost atomic.Bool
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset && lost.CompareAndSwap(false, true) {
			return schemas.Fail(schemas.CodeTimedOut, "no answer")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s %s, password set %d times", task.Status, task.Detail, h.systems.sets("a", "jdoe"))
	}
}

func TestChangeBySomebodyElseInBetweenNeedsReview(t *testing.T) {
	h := newHouse(t)
	h.systems.after = func(system, id string) error {
		h.systems.mu.Lock()
		defer h.systems.mu.Unlock()
		a := h.systems.account(system, id)
		a.mustChange = false // the user, or the thief, has changed it already
		a.sets++
		return schemas.Fail(schemas.CodeTimedOut, "no answer")
	}
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusUnsuccessful || task.Code != schemas.CodeNeedsReview {
		t.Fatalf("task is %s %s", task.Status, task.Code)
	}
}

// A worker that dies right after the directory has applied the change: its successor must find that out.
func TestDeadWorkerAfterTheChange(t *testing.T) {
	h := newHouse(t)
	dead := make(chan struct{})
	var once atomic.Bool
	h.systems.after = func(string, string) error {
		if once.CompareAndSwap(false, true) {
			<-dead // never comes back while its process lives
			return context.Canceled
		}
		return nil
	}
	id := h.submit(request("jdoe", "a"))[0].ID
	h.until(id, func(task schemas.Task) bool { return task.Enforcements[0].Intent != nil && once.Load() })
	old := h.svc
	h.abandon()
	h.open()
	task := h.final(id)
	close(dead)
	old.Close()
	if task.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s %s %s, password set %d times", task.Status, task.Code, task.Detail, h.systems.sets("a", "jdoe"))
	}
	if task.Enforcements[0].Attempts < 2 {
		t.Error("nobody took it over")
	}
}

// abandon leaves the old process as kill -9 would: its ledger is gone, its worker hangs.
func (h *house) abandon() {
	_ = h.ledger.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_ = h.real.Close(ctx)
}

func TestDownSystemIsTriedAgain(t *testing.T) {
	h := newHouse(t)
	var calls atomic.Int32
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepResolve && calls.Add(1) == 1 {
			return schemas.Fail(schemas.CodeUnavailable, "down")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Enforcements[0].Attempts != 2 {
		t.Fatalf("task is %s after %d attempts", task.Status, task.Enforcements[0].Attempts)
	}
}

func TestWaitThatASystemAsksForIsNoAttempt(t *testing.T) {
	h := newHouse(t)
	var calls atomic.Int32
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset && calls.Add(1) == 1 {
			f := schemas.Fail(schemas.CodeRateLimited, "slow down")
			f.RetryAfter = 50 * time.Millisecond
			return f
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Enforcements[0].Attempts != 1 || h.systems.sets("a", "jdoe") != 1 {
		t.Fatalf("task is %s after %d attempts, password set %d times", task.Status, task.Enforcements[0].Attempts, h.systems.sets("a", "jdoe"))
	}
}

func TestFailureAfterTheResetRepeatsOnlyWhatFailed(t *testing.T) {
	h := newHouse(t)
	var calls atomic.Int32
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepRevoke && calls.Add(1) == 1 {
			return schemas.Fail(schemas.CodeUnavailable, "down")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || h.systems.sets("a", "jdoe") != 1 || calls.Load() != 2 {
		t.Fatalf("task is %s, password set %d times, %d revocations", task.Status, h.systems.sets("a", "jdoe"), calls.Load())
	}
}

func TestUnknownErrorIsNotShown(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset {
			return errors.New("password hunter2 refused")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	text, err := schemas.Encode(task)
	if err != nil || task.Code != schemas.CodeUnexpected || contains(text, "hunter2") {
		t.Fatalf("%v %s", err, text)
	}
}

// forgetful loses or swallows wake-ups as Redis might.
type forgetful struct {
	jobs.Queue
	swallow func(w jobs.Work) bool
}

func (f forgetful) Enqueue(ctx context.Context, w jobs.Work) error {
	if f.swallow(w) {
		return nil
	}
	return f.Queue.Enqueue(ctx, w)
}

func TestLostWakeUpsComeBack(t *testing.T) {
	var lost atomic.Int32
	h := newHouse(t, func(h *house) {
		h.filter = func(q jobs.Queue) jobs.Queue {
			return forgetful{q, func(jobs.Work) bool { return lost.Add(1) <= 10 }}
		}
	})
	var ids []string
	for range 10 {
		ids = append(ids, h.submit(request("jdoe", "a"))[0].ID)
	}
	for _, id := range ids {
		if task := h.final(id); task.Status != schemas.StatusSuccessful {
			t.Errorf("task is %s", task.Status)
		}
	}
}

func TestWakeUpInLimboGetsANewGeneration(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.filter = func(q jobs.Queue) jobs.Queue {
			return forgetful{q, func(w jobs.Work) bool { return w.Generation == 1 }} // this id is blocked for ever
		}
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Enforcements[0].Generation < 3 {
		t.Fatalf("task is %s, generation %d", task.Status, task.Enforcements[0].Generation)
	}
}

// deadQueue takes nothing, as a Redis that is gone.
type deadQueue struct{}

func (deadQueue) Enqueue(context.Context, jobs.Work) error         { return errors.New("gone") }
func (deadQueue) Waiting(context.Context, jobs.Work) (bool, error) { return false, errors.New("gone") }

func TestResetsGoOnWithoutTheQueue(t *testing.T) {
	h := newHouse(t, func(h *house) { h.filter = func(jobs.Queue) jobs.Queue { return deadQueue{} } })
	var all []schemas.Request
	for range 60 { // more than are done at a time
		all = append(all, request("jdoe", "a"))
	}
	for _, task := range h.submit(all...) {
		if got := h.final(task.ID); got.Status != schemas.StatusSuccessful || len(h.callbacksOf(task.ID)) != 1 {
			t.Fatalf("task is %s", got.Status)
		}
	}
}
