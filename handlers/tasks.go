package handlers

import (
	"context"
	"crypto/sha256"
	"net/http"
	"regexp"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// MaxWait is the longest that a caller can wait for the end of a task in one call.
const MaxWait = 60 * time.Second

// maxCursor is the greatest length of a cursor in bytes; ours are far shorter.
const maxCursor = 512

var (
	// idForm is what ids of ours look like; anything else is looked up nowhere.
	idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	// keyForm is the form of an idempotency key: that of a webhook-id.
	keyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

// ownRequest is a body that is one request and nothing else.
var ownRequest = source.Alone()

// submit takes one request from an operator.
func (f *Face) submit(c *call) error {
	key, err := f.idempotencyKey(c.Request.Header)
	if err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	var r schemas.Request
	if p := schemas.Decode(body, &r); p != nil {
		return p
	}
	if p := f.Validator.Check(&r); p != nil {
		return p
	}
	c.source = source.API
	tasks, replay, err := f.submitted(c, schemas.Submission{
		Source: source.API, Key: key, BodyHash: sha256.Sum256(body), Actor: c.caller, Requests: []schemas.Request{r},
	})
	if err != nil {
		return relocate(err, ownRequest)
	}
	c.code = "accepted"
	if replay {
		c.code = "replayed"
	}
	return f.accepted(c, http.StatusAccepted, tasks)
}

// idempotencyKey gives what the operator sent, or a fresh key: without one, sending twice is asking twice.
func (f *Face) idempotencyKey(h http.Header) (string, error) {
	switch values := h["Idempotency-Key"]; {
	case len(values) == 0:
		return f.NewID(), nil
	case len(values) == 1 && keyForm.MatchString(values[0]):
		return values[0], nil
	}
	return "", schemas.NewProblem(http.StatusUnprocessableEntity, "invalid_request", "The request is not valid",
		"Correct the header that is named and send it again.",
		schemas.FieldError{Parameter: "Idempotency-Key", Detail: "send it once, with 1 to 128 of A-Z a-z 0-9 _ -"})
}

// tasks searches the history.
func (f *Face) tasks(c *call) error {
	q := readQuery(c.Request, "q", "status", "system", "source", "from", "to", "cursor", "limit")
	want := schemas.TaskQuery{
		Q:      q.text("q", schemas.MaxAccountBytes),
		Status: oneOf(q, "status", schemas.TaskStatuses()),
		System: q.label("system"),
		Source: q.label("source"),
		From:   q.moment("from"),
		To:     q.moment("to"),
		Cursor: q.text("cursor", maxCursor),
		Limit:  q.number("limit", schemas.MaxPage),
	}
	if err := q.check(); err != nil {
		return err
	}
	page, err := f.History.Search(c.Request.Context(), want)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, page)
}

// task shows one task, at once or when it is final.
func (f *Face) task(c *call) error {
	q := readQuery(c.Request, "wait")
	wait := q.duration("wait", MaxWait)
	if err := q.check(); err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	var t schemas.Task
	if wait > 0 {
		t, err = f.await(c, id, wait)
	} else {
		t, err = f.History.Task(c.Request.Context(), id)
	}
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, t)
}

// await waits for the end of the task, of the time, of the connection or of the server, whichever comes first.
func (f *Face) await(c *call, id string, wait time.Duration) (schemas.Task, error) {
	c.waited = true
	// The server's own time-out for writing is made for short calls. Where there is no connection, as in tests, there is
	// none to extend.
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(wait + WriteTimeout))

	ctx, cancel := context.WithTimeout(c.Request.Context(), wait)
	defer cancel()
	defer context.AfterFunc(f.closing, cancel)()
	return f.History.Wait(ctx, id)
}

// events shows the history of one task.
func (f *Face) events(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	id, err := c.id()
	if err != nil {
		return err
	}
	events, err := f.History.Events(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, struct {
		Events []schemas.Event `json:"events"`
	}{events})
}

// cancel withdraws a task as far as nothing was changed yet.
func (f *Face) cancel(c *call) error { return f.decide(c, http.StatusOK, f.Tasks.Cancel) }

// retry runs the parts of a task again that did not succeed.
func (f *Face) retry(c *call) error { return f.decide(c, http.StatusAccepted, f.Tasks.Retry) }

func (f *Face) decide(c *call, status int, do func(ctx context.Context, id, actor string) (schemas.Task, error)) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	t, err := do(c.Request.Context(), id, c.caller)
	if err != nil {
		return err
	}
	c.task, c.source = t.ID, t.Source
	return c.answer(status, t)
}

// id gives the id in the path.
func (c *call) id() (string, error) {
	id := c.Param("id")
	if !idForm.MatchString(id) {
		return "", schemas.ErrNotFound
	}
	return id, nil
}
