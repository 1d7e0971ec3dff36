package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/resetd/resetd/schemas"
)

// errDocument marks a value that cannot be written or read as JSON: the fault of one operation, not of the database.
var errDocument = errors.New("document not usable")

// encode gives the document of a value.
func encode(v any) (string, error) {
	b, err := schemas.Encode(v)
	if err != nil {
		return "", fmt.Errorf("ledger: %w: write %T as JSON: %w", errDocument, v, err)
	}
	return string(b), nil
}

// decode reads a document that encode wrote. Members that it does not know were written by a newer version and are passed over.
func decode(doc string, into any) error {
	if err := json.Unmarshal([]byte(doc), into); err != nil {
		return fmt.Errorf("ledger: %w: read the stored %T: %w", errDocument, into, err)
	}
	return nil
}

// micros is a time as it is stored. The zero time is far below all others.
func micros(t time.Time) int64 { return t.UnixMicro() }

// microsUp is the first stored time that is not before t.
func microsUp(t time.Time) int64 {
	us := t.UnixMicro()
	if time.UnixMicro(us).Before(t) {
		us++
	}
	return us
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// settle makes an event what it will be when it is read again: UTC, whole microseconds, no monotonic clock, valid text.
// Its slices and pointers become its own, so that the caller's changes do not reach the record.
func settle(e schemas.Event) schemas.Event {
	e.At, e.DueAt = settleTime(e.At), settleTime(e.DueAt)
	e.Detail = strings.ToValidUTF8(e.Detail, "\uFFFD")
	e.Steps = slices.Clone(e.Steps)
	for i := range e.Steps {
		e.Steps[i].At = settleTime(e.Steps[i].At)
		e.Steps[i].Detail = strings.ToValidUTF8(e.Steps[i].Detail, "\uFFFD")
	}
	e.Identity, e.Account = clonePointer(e.Identity), clonePointer(e.Account)
	if e.CoalescedWith = clonePointer(e.CoalescedWith); e.CoalescedWith != nil {
		e.CoalescedWith.FinishedAt = settleTime(e.CoalescedWith.FinishedAt)
	}
	if e.Intent = clonePointer(e.Intent); e.Intent != nil {
		e.Intent.PasswordChangedAt = e.Intent.PasswordChangedAt.UTC()
	}
	if e.Accepted = clonePointer(e.Accepted); e.Accepted != nil {
		e.Accepted.Systems = slices.Clone(e.Accepted.Systems)
		e.Accepted.Callback = clonePlan(e.Accepted.Callback)
		e.Accepted.Request = cloneRequest(e.Accepted.Request)
		e.Accepted.Request.OccurredAt = e.Accepted.Request.OccurredAt.UTC()
		e.Accepted.Request.SkipIfChangedSince = e.Accepted.Request.SkipIfChangedSince.UTC()
	}
	return e
}

// settleTime brings a time to what the columns can hold. The zero time, which means none, stays zero.
func settleTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// clone gives a task that shares no memory with the one that the ledger keeps.
func clone(t schemas.Task) schemas.Task {
	t.Request = cloneRequest(t.Request)
	t.Callback = clonePlan(t.Callback)
	t.Enforcements = slices.Clone(t.Enforcements)
	for i := range t.Enforcements {
		n := &t.Enforcements[i]
		n.Steps = slices.Clone(n.Steps)
		n.Identity, n.Intent, n.Account = clonePointer(n.Identity), clonePointer(n.Intent), clonePointer(n.Account)
		n.CoalescedWith = clonePointer(n.CoalescedWith)
	}
	return t
}

// The clones go as deep as a caller could write: everything behind a pointer or in a slice.
func cloneRequest(r schemas.Request) schemas.Request {
	r.Systems = slices.Clone(r.Systems)
	r.RevokeSessions, r.Coalesce = clonePointer(r.RevokeSessions), clonePointer(r.Coalesce)
	if r.Callback = clonePointer(r.Callback); r.Callback != nil {
		r.Callback.Events = slices.Clone(r.Callback.Events)
	}
	return r
}

func clonePlan(p *schemas.CallbackPlan) *schemas.CallbackPlan {
	if p = clonePointer(p); p != nil {
		p.Events = slices.Clone(p.Events)
	}
	return p
}

func cloneCallback(c schemas.Callback) schemas.Callback {
	c.Log = slices.Clone(c.Log)
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
