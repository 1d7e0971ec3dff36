package handlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// submitTimeout is how long the ledger may take to make a submission durable. It lies below WriteTimeout, so that a
// stuck ledger gives 503 and not a broken connection.
const submitTimeout = 10 * time.Second

// hook takes a signed delivery: size, source, signature over the raw bytes, mapping, validation; and answers once every
// task that came of it is durable.
func (f *Face) hook(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	src, known := f.Sources.Find(c.Param("source"))
	key, err := src.Verify(c.Request.Header, body, f.Now())
	if !known {
		return schemas.NewProblem(http.StatusNotFound, "unknown_source", "There is no such source",
			"Check the last part of the URL against the names under sources in the configuration.")
	}
	c.source = src.Name
	if err != nil {
		return c.unsigned(src, err)
	}
	mapped, problem := src.Map(body)
	if problem != nil {
		return problem
	}
	return f.take(c, schemas.Submission{
		Source: src.Name, Key: key, BodyHash: sha256.Sum256(body), Actor: "source:" + src.Name, Requests: mapped.Requests,
	}, mapped)
}

// unsigned tells which check failed, and nothing of the key or of what would have been right.
func (c *call) unsigned(src *source.Source, err error) error {
	c.Header("WWW-Authenticate", src.Scheme) // RFC 9110 §15.5.2 demands a challenge
	detail := "The delivery could not be verified."
	if e, ok := errors.AsType[*signature.Error](err); ok {
		c.reason = string(e.Reason)
		detail = c.reason + ": " + e.Detail + "."
	}
	return schemas.NewProblem(http.StatusUnauthorized, "bad_signature", "The signature does not hold", detail)
}

// take submits what was asked for, and answers 202 also for what was submitted before.
func (f *Face) take(c *call, s schemas.Submission, mapped source.Mapped) error {
	if len(s.Requests) == 0 {
		c.code = "nothing_asked"
		return f.accepted(c, nil)
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), submitTimeout)
	defer cancel()
	tasks, replay, err := f.Tasks.Submit(ctx, s)
	if err != nil {
		return relocate(err, mapped)
	}
	c.code = "accepted"
	if replay {
		c.code = "replayed"
	}
	if len(tasks) > 0 {
		c.task = tasks[0].ID
	}
	return f.accepted(c, tasks)
}

// relocate makes the pointers of a problem point into the body that the sender knows.
func relocate(err error, mapped source.Mapped) error {
	p, ok := errors.AsType[*schemas.Problem](err)
	if !ok {
		return err
	}
	moved := *p
	moved.Errors = slices.Clone(p.Errors)
	for i := range moved.Errors {
		moved.Errors[i].Pointer = mapped.Pointer(moved.Errors[i].Pointer)
	}
	return &moved
}

// forSender keeps to the statuses that senders understand. Some take 409 for a conflict to be solved by sending other
// data, 410 for a wish never to hear from them again, and follow a redirect without the body.
func forSender(p *schemas.Problem) *schemas.Problem {
	if s := p.Status; s != http.StatusConflict && s != http.StatusGone && s >= 400 {
		return p
	}
	moved := *p
	moved.Status = http.StatusUnprocessableEntity
	return &moved
}
