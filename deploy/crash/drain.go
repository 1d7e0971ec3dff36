package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/schemas"
)

// interrupted lists the tasks that a worker held when it was killed.
func (c *scene) interrupted(ctx context.Context, s *senders) ([]string, error) {
	var page schemas.TaskPage
	code, err := s.client.Get(ctx, "/v1/tasks?limit=500&status=in_progress", &page)
	if err != nil || code != http.StatusOK {
		return nil, fmt.Errorf("list interrupted tasks: HTTP %d: %w", code, err)
	}
	out := make([]string, len(page.Tasks))
	for i, t := range page.Tasks {
		out[i] = t.ID
	}
	return out, nil
}

// drain waits until no task is open and every callback has been told.
func (c *scene) drain(ctx context.Context, s *senders, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		open, err := s.client.Open(ctx)
		if err != nil {
			return err
		}
		told, _ := c.receiver.Told()
		if open == 0 && len(told) >= len(s.acked) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s at least %d tasks are open, and %d of %d callbacks were told", limit, open, len(told), len(s.acked))
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// takenUp tells how long after the last start a worker claimed an interrupted task again.
func takenUp(ctx context.Context, client *harness.Client, id string, began time.Time) (time.Duration, error) {
	var history struct {
		Events []schemas.Event `json:"events"`
	}
	code, err := client.Get(ctx, "/v1/tasks/"+id+"/events", &history)
	if err != nil || code != http.StatusOK {
		return 0, fmt.Errorf("read the history of task %s: HTTP %d: %w", id, code, err)
	}
	for _, e := range history.Events {
		if e.Type == schemas.EventClaimed && e.At.After(began) {
			return e.At.Sub(began), nil
		}
	}
	return time.Since(began), nil // never
}
