package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func contains(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }

func TestCancelWithdrawsWhatNobodyHasBegun(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(string, schemas.StepName, string) error {
		f := schemas.Fail(schemas.CodeRateLimited, "later")
		f.RetryAfter = time.Hour
		return f
	})
	id := h.submit(request("jdoe", "a"))[0].ID
	h.until(id, func(task schemas.Task) bool { return !task.Enforcements[0].NotBefore.IsZero() })
	task, err := h.svc.Cancel(t.Context(), id, "token:ops")
	if err != nil || task.Status != schemas.StatusCancelled {
		t.Fatalf("%s %v", task.Status, err)
	}
	if _, err := h.svc.Cancel(t.Context(), id, "token:ops"); !errors.Is(err, schemas.ErrState) {
		t.Errorf("cancelling again gives %v", err)
	}
	if _, err := h.svc.Retry(t.Context(), id, "token:ops"); !errors.Is(err, schemas.ErrState) {
		t.Errorf("retrying what was cancelled gives %v", err)
	}
	if _, err := h.svc.Cancel(t.Context(), "no-such-task", "token:ops"); !errors.Is(err, schemas.ErrNotFound) {
		t.Errorf("an unknown task gives %v", err)
	}
}

func TestWaitEndsWithTheTaskOrTheContext(t *testing.T) {
	h := newHouse(t)
	id := h.submit(request("jdoe", "a"))[0].ID
	if task, err := h.svc.Wait(t.Context(), id); err != nil || !task.Status.Final() {
		t.Fatalf("%s %v", task.Status, err)
	}
	h.systems.script(func(string, schemas.StepName, string) error { return schemas.Fail(schemas.CodeUnavailable, "down") })
	id = h.submit(request("asmith", "a"))[0].ID
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if task, err := h.svc.Wait(ctx, id); err != nil || task.Status.Final() {
		t.Fatalf("%s %v", task.Status, err)
	}
}

func TestCallbackThatFailsIsSentAgainUnderTheSameIDAndNeverRepeatsTheReset(t *testing.T) {
	h := newHouse(t)
	h.post.answer = func(n int) (schemas.Attempt, time.Duration) {
		switch n {
		case 1:
			return schemas.Attempt{Error: "status", HTTPStatus: 503}, 0
		case 2:
			return schemas.Attempt{Error: schemas.AttemptBusy}, 10 * time.Millisecond
		}
		return schemas.Attempt{HTTPStatus: 200}, 0
	}
	id := h.submit(request("jdoe", "a"))[0].ID
	got := h.callbacksOf(id)
	if len(got) != 1 || got[0].State != schemas.CallbackDelivered || len(got[0].Log) != 2 {
		t.Fatalf("callbacks are %+v", got)
	}
	for _, sent := range h.post.ids {
		if sent != got[0].ID {
			t.Errorf("an attempt went out as %s, want %s", sent, got[0].ID)
		}
	}
	if h.systems.sets("a", "jdoe") != 1 {
		t.Error("the reset was repeated")
	}
}

func TestReceiverThatSaysGoneIsADeadLetterAndCanBeRedelivered(t *testing.T) {
	h := newHouse(t)
	h.post.answer = func(n int) (schemas.Attempt, time.Duration) {
		if n == 1 {
			return schemas.Attempt{Error: "status", HTTPStatus: 410}, 0
		}
		return schemas.Attempt{HTTPStatus: 204}, 0
	}
	id := h.submit(request("jdoe", "a"))[0].ID
	got := h.callbacksOf(id)
	if got[0].State != schemas.CallbackDead || h.post.sent() != 1 {
		t.Fatalf("after 410 the callback is %s, sent %d times", got[0].State, h.post.sent())
	}
	if _, err := h.svc.Redeliver(t.Context(), got[0].ID); err != nil {
		t.Fatal(err)
	}
	if got = h.callbacksOf(id); got[0].State != schemas.CallbackDelivered || len(got[0].Log) != 2 {
		t.Fatalf("after the redelivery the callback is %+v", got[0])
	}
}

func TestCallbackIsGivenUpAfterItsSchedule(t *testing.T) {
	h := newHouse(t)
	h.post.answer = func(int) (schemas.Attempt, time.Duration) { return schemas.Attempt{Error: "connect"}, 0 }
	got := h.callbacksOf(h.submit(request("jdoe", "a"))[0].ID)
	if got[0].State != schemas.CallbackDead || len(got[0].Log) != 5 {
		t.Fatalf("the callback is %s after %d attempts", got[0].State, len(got[0].Log))
	}
}

func TestEveryWantedStatusIsTold(t *testing.T) {
	h := newHouse(t)
	r := request("jdoe", "a")
	r.Callback.Events = []string{"queued", "in_progress", "final"}
	id := h.submit(r)[0].ID
	h.final(id)
	for deadline := time.Now().Add(30 * time.Second); len(h.callbacksOf(id)) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("told %+v", h.callbacksOf(id))
		}
	}
	told := map[schemas.Status]bool{}
	for _, c := range h.callbacksOf(id) {
		told[c.Status] = true
	}
	if !told[schemas.StatusQueued] || !told[schemas.StatusInProgress] || !told[schemas.StatusSuccessful] {
		t.Errorf("told %v", told)
	}
}

func TestWorkOfASystemThatIsNoLongerConfiguredEnds(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(string, schemas.StepName, string) error { return schemas.Fail(schemas.CodeUnavailable, "down") })
	id := h.submit(request("jdoe", "b"))[0].ID
	h.until(id, func(task schemas.Task) bool { return task.Enforcements[0].Attempts > 0 })
	h.names = []string{"a"}
	h.reopen()
	if task := h.final(id); task.Status != schemas.StatusUnsuccessful || task.Code != schemas.CodeUnavailable {
		t.Fatalf("task is %s %s", task.Status, task.Code)
	}
}

func TestBacklogBeyondTheWindowIsWorkedOff(t *testing.T) {
	h := newHouse(t)
	var all []schemas.Request
	for range 500 { // the window is 100
		all = append(all, request("jdoe", "a"))
	}
	for _, task := range h.submit(all...) {
		if got := h.final(task.ID); got.Status != schemas.StatusSuccessful {
			t.Fatalf("task is %s", got.Status)
		}
	}
}
