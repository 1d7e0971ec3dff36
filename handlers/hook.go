package handlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// submitTimeout is how long the ledger may take to make a submission durable. It lies below WriteTimeout, so that a
// stuck ledger gives 503 and not a broken connection.
const submitTimeout = 10 * time.Second

// hook takes a delivery: size, source, proof over the raw bytes, mapping, validation; and answers once every task that
// came of it is durable. What asks a question instead of delivering is answered after the proof.
func (f *Face) hook(c *call) error {
	client := f.client(c)
	if err := f.refusals.open(client); err != nil {
		return err
	}
	src, known := f.Sources.Find(c.Param("source"))
	if known { // so that what is refused from here on is laid to it
		c.source, c.src = src.Name, src
	}
	body, err := c.readBytes()
	if err != nil {
		f.refusals.count(client)
		return err
	}
	if c.Request.Method != http.MethodPost && !src.Asks() {
		c.Header("Allow", http.MethodPost)
		return f.noMethod(c)
	}
	d := &verify.Delivery{Method: c.Request.Method, Path: c.Request.URL.EscapedPath(), Header: c.Request.Header, Body: body, Token: c.Param("token"),
		Peer: c.peer(), Client: client, TLS: c.Request.TLS}
	proof, err := src.Verify(c.Request.Context(), d, f.Now())
	if !known {
		f.refusals.count(client)
		return schemas.NewProblem(http.StatusNotFound, "unknown_source", "There is no such source",
			"Check the part of the URL behind /v1/hooks/ against the names under sources in the configuration.")
	}
	if err != nil {
		f.refusals.count(client)
		return c.unproved(src, err)
	}
	if r, ok := src.Answer(d, c.Query, proof.Payload); ok {
		c.code = "handshake"
		c.reply(r)
		return nil
	}
	if d.Method != http.MethodPost {
		c.Header("Allow", http.MethodPost)
		return f.noMethod(c)
	}
	if err := checkMedia(c.Request.Header, src.Media()); err != nil {
		return err
	}
	return f.deliver(c, src, proof, body)
}

// deliver maps what was proved, within the source's limits, and submits it.
func (f *Face) deliver(c *call, src *source.Source, proof verify.Proof, body []byte) error {
	now := f.Now()
	if err := f.gates[src.Name].delivery(now); err != nil {
		return err
	}
	mapped, problem := src.Map(c.Request.Context(), c.Request.Header, proof, now)
	if problem != nil {
		return problem
	}
	if mapped.Ignored != "" {
		c.code = "ignored"
		return f.taken(c, src, nil, mapped.Ignored)
	}
	if err := f.gates[src.Name].requests(now, len(mapped.Requests)); err != nil {
		return err
	}
	said := body
	if src.Transmits() {
		said = proof.Payload // a transmitter may sign the same event anew
	}
	err := f.take(c, src, mapped, schemas.Submission{
		Source: src.Name, Key: proof.ID, BodyHash: sha256.Sum256(said), Repeat: src.Repeat, Actor: "source:" + src.Name, Requests: mapped.Requests,
	})
	if err != nil || c.code == "replayed" {
		f.gates[src.Name].giveBack(f.Now(), len(mapped.Requests))
	}
	return err
}

// unproved tells which check failed, and nothing of the key or of what would have been right. An issuer that does not
// answer is nobody's fault here: the sender is to try again.
func (c *call) unproved(src *source.Source, err error) error {
	detail := "The delivery could not be verified."
	if e, ok := errors.AsType[*verify.Error](err); ok {
		c.reason, c.set = string(e.Reason), e.SET()
		detail = c.reason + ": " + e.Detail + "."
		if e.Reason == verify.ReasonKeysUnavailable {
			p := schemas.NewProblem(http.StatusServiceUnavailable, "keys_unavailable", "The issuer's keys cannot be had now", detail)
			p.RetryAfter = retryLater
			return p
		}
	}
	if !src.Transmits() { // they get 400
		c.Header("WWW-Authenticate", src.Challenge) // RFC 9110 §15.5.2 demands one
	}
	return schemas.NewProblem(http.StatusUnauthorized, "bad_signature", "The signature does not hold", detail)
}

// take submits what was asked for, and answers alike for what was submitted before.
func (f *Face) take(c *call, src *source.Source, mapped source.Mapped, s schemas.Submission) error {
	if len(s.Requests) == 0 {
		c.code = "nothing_asked"
		return f.taken(c, src, nil, "")
	}
	tasks, replay, err := f.submitted(c, s)
	if err != nil {
		return relocate(err, mapped)
	}
	c.code = "accepted"
	if replay {
		c.code = "replayed"
	}
	return f.taken(c, src, tasks, "")
}

// submitted records a submission durably, in a time that leaves room for an answer.
func (f *Face) submitted(c *call, s schemas.Submission) ([]schemas.Task, bool, error) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), submitTimeout)
	defer cancel()
	tasks, replay, err := f.Tasks.Submit(ctx, s)
	if len(tasks) > 0 {
		c.task = tasks[0].ID
	}
	return tasks, replay, err
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
