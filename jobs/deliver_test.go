package jobs_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

func TestACallbackWithNowhereToGoIsDeadAtOnce(t *testing.T) {
	h := newHouse(t)
	h.post.answer = func(int) (schemas.Attempt, time.Duration) {
		return schemas.Attempt{Error: schemas.AttemptNoReference, Detail: "the task has no reference"}, 0
	}
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	c := h.callbacksOf(task.ID)[0]
	if c.State != schemas.CallbackDead || c.Attempts != 1 || h.post.sent() != 1 || c.Log[0].Error != schemas.AttemptNoReference {
		t.Errorf("it is %s after %d attempts: %+v", c.State, c.Attempts, c.Log)
	}
}

// What an attempt delivered is known to all that follow, whatever they end with, until all of it is delivered. If a person
// then asks for it again, it begins anew.
func TestWhatWasDeliveredIsToldToTheNextAttempt(t *testing.T) {
	h := newHouse(t)
	h.post.answer = func(n int) (schemas.Attempt, time.Duration) {
		switch n {
		case 1:
			return schemas.Attempt{HTTPStatus: 400, Error: "status", Detail: "x", Done: []string{"comment"}}, 0
		case 2:
			return schemas.Attempt{Error: "timeout", Detail: "x", Done: []string{"comment", "transition"}}, 0
		}
		return schemas.Attempt{HTTPStatus: 204}, 0
	}
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	c := h.callbacksOf(task.ID)[0]
	if c.State != schemas.CallbackDelivered || len(c.Log) != 3 {
		t.Fatalf("it is %s: %+v", c.State, c.Log)
	}
	if _, err := h.svc.Redeliver(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	h.callbacksOf(task.ID)
	h.post.mu.Lock()
	defer h.post.mu.Unlock()
	want := [][]string{nil, {"comment"}, {"comment", "transition"}, nil}
	if len(h.post.done) != len(want) {
		t.Fatalf("%d attempts: %v", len(h.post.done), h.post.done)
	}
	for i, done := range want {
		if !slices.Equal(h.post.done[i], done) {
			t.Errorf("attempt %d was told %v, want %v", i+1, h.post.done[i], done)
		}
	}
}

// muted takes wake-ups of callbacks and wakes nobody, so that a test is the only worker.
type muted struct{ jobs.Queue }

func (m muted) Enqueue(ctx context.Context, w jobs.Work) error {
	if w.Queue == jobs.CallbackQueue {
		return nil
	}
	return m.Queue.Enqueue(ctx, w)
}

func (m muted) Waiting(ctx context.Context, w jobs.Work) (bool, error) {
	if w.Queue == jobs.CallbackQueue {
		return true, nil
	}
	return m.Queue.Waiting(ctx, w)
}

// A worker that is stopped while it delivers records what came of it, if anything did: a tool would show it twice.
func TestAStopDoesNotForgetWhatWasDelivered(t *testing.T) {
	for name, c := range map[string]struct {
		attempt schemas.Attempt
		state   schemas.CallbackState
		log     int
	}{
		"all of it":  {schemas.Attempt{HTTPStatus: 200}, schemas.CallbackDelivered, 1},
		"a part":     {schemas.Attempt{Error: "interrupted", Detail: "x", Done: []string{"comment"}}, schemas.CallbackPending, 1},
		"nothing":    {schemas.Attempt{Error: "interrupted", Detail: "x"}, schemas.CallbackPending, 0},
		"put back":   {schemas.Attempt{Error: schemas.AttemptBusy, Detail: "x"}, schemas.CallbackPending, 0},
		"a bad word": {schemas.Attempt{HTTPStatus: 500, Error: "status", Detail: "x"}, schemas.CallbackPending, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, patient, func(h *house) { h.filter = func(q jobs.Queue) jobs.Queue { return muted{q} } })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h.post.answer = func(int) (schemas.Attempt, time.Duration) {
				cancel()
				return c.attempt, 0
			}
			task := h.final(h.submit(request("jdoe", "a"))[0].ID)
			page, err := h.svc.Callbacks(t.Context(), schemas.CallbackQuery{TaskID: task.ID})
			if err != nil || len(page.Callbacks) != 1 {
				t.Fatalf("%+v, %v", page, err)
			}
			one := page.Callbacks[0]
			h.svc.HandleCallback(ctx, jobs.Work{ID: one.ID, TaskID: task.ID, Queue: jobs.CallbackQueue, Generation: one.Generation})
			after, err := h.ledger.Callback(t.Context(), one.ID)
			if err != nil {
				t.Fatal(err)
			}
			if h.post.sent() != 1 || after.State != c.state || len(after.Log) != c.log {
				t.Errorf("it is %s after %d attempts: %+v", after.State, h.post.sent(), after.Log)
			}
			if c.log == 1 && !slices.Equal(after.Log[0].Done, c.attempt.Done) {
				t.Errorf("it forgot %v: %+v", c.attempt.Done, after.Log[0])
			}
		})
	}
}
