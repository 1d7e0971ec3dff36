package handlers_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/resetd/resetd/schemas"
)

// stubTasks records what is submitted and answers as the jobs do: the same key gives the same tasks, another body under
// it ErrKeyReused, and the system "nowhere" a problem.
type stubTasks struct {
	mu    sync.Mutex
	got   []schemas.Submission
	kept  map[string][]schemas.Task
	hash  map[string][32]byte
	fail  error
	did   []string  // "cancel <id> <actor>" …
	then  func()    // runs within Submit
	until time.Time // the deadline of the last Submit
}

func newStubTasks() *stubTasks {
	return &stubTasks{kept: map[string][]schemas.Task{}, hash: map[string][32]byte{}}
}

func (s *stubTasks) Submit(ctx context.Context, sub schemas.Submission) ([]schemas.Task, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, _ = ctx.Deadline()
	if s.then != nil {
		s.then()
	}
	if s.fail != nil {
		return nil, false, s.fail
	}
	for i, r := range sub.Requests {
		if j := slices.Index(r.Systems, "nowhere"); j >= 0 {
			return nil, false, schemas.NewProblem(422, "unknown_system", "The request names a system that cannot be acted on", "Correct the name.",
				schemas.FieldError{Pointer: fmt.Sprintf("/%d/systems/%d", i, j), Detail: "there is no such system"})
		}
	}
	key := sub.Source + " " + cmp.Or(sub.Key, fmt.Sprintf("%x", sub.BodyHash))
	if tasks, ok := s.kept[key]; ok {
		if s.hash[key] != sub.BodyHash {
			return nil, false, schemas.ErrKeyReused
		}
		return tasks, true, nil
	}
	s.got = append(s.got, sub)
	tasks := make([]schemas.Task, len(sub.Requests))
	for i := range tasks {
		tasks[i] = schemas.Task{ID: fmt.Sprintf("0193-%d-%d", len(s.got), i), Source: sub.Source, Status: schemas.StatusQueued}
	}
	s.kept[key], s.hash[key] = tasks, sub.BodyHash
	return tasks, false, nil
}

// forget drops what was recorded and kept.
func (s *stubTasks) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = nil
	clear(s.kept)
	clear(s.hash)
}

func (s *stubTasks) Cancel(_ context.Context, id, actor string) (schemas.Task, error) {
	return s.decide("cancel", id, actor)
}

func (s *stubTasks) Retry(_ context.Context, id, actor string) (schemas.Task, error) {
	return s.decide("retry", id, actor)
}

func (s *stubTasks) decide(what, id, actor string) (schemas.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return schemas.Task{}, s.fail
	}
	s.did = append(s.did, what+" "+id+" "+actor)
	t := richTask()
	t.ID = id
	return t, nil
}

func (s *stubTasks) submissions() []schemas.Submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// stubHistory knows one task, "known", which becomes final when done is closed.
type stubHistory struct {
	done  chan struct{}
	asked schemas.TaskQuery
	fail  error
}

func newStubHistory() *stubHistory { return &stubHistory{done: make(chan struct{})} }

func (s *stubHistory) Task(_ context.Context, id string) (schemas.Task, error) {
	if s.fail != nil {
		return schemas.Task{}, s.fail
	}
	if id != "known" {
		return schemas.Task{}, fmt.Errorf("task: %w", schemas.ErrNotFound)
	}
	t := richTask()
	select {
	case <-s.done:
	default:
		t.Status, t.Code, t.FinishedAt = schemas.StatusInProgress, "", time.Time{}
	}
	return t, nil
}

func (s *stubHistory) Wait(ctx context.Context, id string) (schemas.Task, error) {
	if id == "known" {
		select {
		case <-s.done:
		case <-ctx.Done():
		}
	}
	return s.Task(ctx, id)
}

func (s *stubHistory) Events(_ context.Context, id string) ([]schemas.Event, error) {
	if id != "known" {
		return nil, schemas.ErrNotFound
	}
	return richEvents(), s.fail
}

func (s *stubHistory) Search(_ context.Context, q schemas.TaskQuery) (schemas.TaskPage, error) {
	s.asked = q
	if q.Cursor == "forged" {
		return schemas.TaskPage{}, schemas.ErrCursor
	}
	return schemas.TaskPage{Tasks: []schemas.Task{richTask()}, Next: "djE6MTIz"}, s.fail
}

// stubCallbacks knows one callback, "known", and one that is busy.
type stubCallbacks struct {
	asked schemas.CallbackQuery
	again []string
	fail  error
}

func newStubCallbacks() *stubCallbacks { return &stubCallbacks{} }

func (s *stubCallbacks) Callbacks(_ context.Context, q schemas.CallbackQuery) (schemas.CallbackPage, error) {
	s.asked = q
	return schemas.CallbackPage{Callbacks: []schemas.Callback{richCallback()}, Next: "djE6NDU2"}, s.fail
}

func (s *stubCallbacks) Redeliver(_ context.Context, id string) (schemas.Callback, error) {
	if s.fail != nil {
		return schemas.Callback{}, s.fail
	}
	switch id {
	case "known":
		s.again = append(s.again, id)
		return richCallback(), nil
	case "busy":
		return schemas.Callback{}, schemas.ErrState
	}
	return schemas.Callback{}, schemas.ErrNotFound
}
