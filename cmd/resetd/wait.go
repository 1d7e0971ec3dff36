package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/resetd/resetd/schemas"
)

const (
	// pollWait is how long one call lets resetd wait for the end of a task.
	pollWait = 30 * time.Second
	// pollPause keeps the calls apart when resetd, or a proxy before it, answers at once.
	pollPause = 500 * time.Millisecond
)

// await gives a task once it is final, or as it stands when the time is up. A refusal ends it; a resetd that is restarted
// meanwhile does not.
func (c *client) await(ctx context.Context, id string, until time.Time) (schemas.Task, error) {
	var last schemas.Task
	for {
		// A task that waited for others first is still looked at once.
		wait := max(0, min(pollWait, time.Until(until))).Truncate(time.Millisecond)
		task, again, err := c.look(ctx, id, wait)
		switch {
		case err == nil:
			last = task
		case !again || time.Now().After(until):
			return last, err
		}
		if last.Status.Final() || time.Now().After(until) {
			return last, nil
		}
		if pause(ctx, pollPause) != nil {
			return last, &exit{exitRefused, errors.New("interrupted")}
		}
	}
}

// look reads a task, after at most the given time. again tells whether an error may be over a moment later.
func (c *client) look(ctx context.Context, id string, wait time.Duration) (t schemas.Task, again bool, err error) {
	path := "/v1/tasks/" + url.PathEscape(id)
	if wait > 0 {
		path += "?wait=" + url.QueryEscape(wait.String())
	}
	got, err := c.send(ctx, http.MethodGet, path, nil, nil, wait)
	again, _ = transient(got, err)
	switch {
	case err != nil:
		err = c.unreachable(ctx, err)
	case got.status != http.StatusOK:
		err = c.refused(got)
	case json.Unmarshal(got.body, &t) != nil || t.ID == "":
		err = c.alien(got)
	}
	return t, again, err
}
