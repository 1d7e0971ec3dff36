package handlers

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/resetd/resetd/schemas"
)

// callbacks lists what callers are owed, with every attempt.
func (f *Face) callbacks(c *call) error {
	q := readQuery(c.Request, "state", "task", "cursor", "limit")
	want := schemas.CallbackQuery{
		State:  oneOf(q, "state", []schemas.CallbackState{schemas.CallbackPending, schemas.CallbackDelivered, schemas.CallbackDead}),
		TaskID: q.text("task", 64),
		Cursor: q.text("cursor", maxCursor),
		Limit:  q.number("limit", schemas.MaxPage),
	}
	if err := q.check(); err != nil {
		return err
	}
	page, err := f.Callbacks.Callbacks(c.Request.Context(), want)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, page)
}

// redeliver begins the delivery of a callback anew.
func (f *Face) redeliver(c *call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	cb, err := f.Callbacks.Redeliver(c.Request.Context(), id)
	if errors.Is(err, schemas.ErrNotFound) {
		return schemas.NewProblem(http.StatusNotFound, "not_found", "There is no callback of this id",
			"GET /v1/callbacks lists them; those of a task are deleted with it after the retention time.")
	}
	if errors.Is(err, schemas.ErrState) {
		err = fmt.Errorf("%w; only a callback that is delivered or dead can be redelivered", err)
	}
	if err != nil {
		return err
	}
	c.task, c.source = cb.TaskID, cb.Source
	return c.answer(http.StatusAccepted, cb)
}
