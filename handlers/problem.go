package handlers

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
)

// retryLater is what a sender is asked to wait when the ledger is overloaded.
const retryLater = 5 * time.Second

// statusClientGone is what nginx made customary for a client that went away: it is seen in metrics and logs only.
const statusClientGone = 499

// maxFieldErrors bounds the answer to a batch in which everything is wrong.
const maxFieldErrors = 100

// maxStateDetail bounds in bytes what a caller is told about a state.
const maxStateDetail = 256

// problemPrefix begins the type of every problem (schemas.NewProblem).
const problemPrefix = "urn:resetd:problem:"

var errPanicked = errors.New("a handler panicked")

// The errors that cross from the jobs, and the problem that each becomes. An error that is not in the table tells the
// caller nothing but that it was not his fault.
var told = []struct {
	err                 error
	status              int
	name, title, detail string
}{
	{schemas.ErrOverloaded, 503, "overloaded", "resetd cannot take this now", "Nothing was accepted. Send it again, with the same id, after the time in Retry-After."},
	{context.DeadlineExceeded, 503, "overloaded", "resetd cannot take this now", "There was no answer in time. Send it again, with the same id, after the time in Retry-After."},
	{schemas.ErrKeyReused, 422, "key_reused", "The id was used before with another body", "Send a new request with a new id; to repeat a request, send its body byte for byte."},
	{schemas.ErrReplayed, 422, "replayed_body", "The very same body was delivered before", "It was delivered longer ago than a sender repeats itself, and its scheme signs no time, so it may have been kept by somebody. If it is a new request, put something into it that is new each time, such as an id or a time."},
	{schemas.ErrNotFound, 404, "not_found", "There is no task of this id", "Check the id; what is final is deleted after the retention time."},
	{schemas.ErrForbidden, 403, "forbidden", "This source may not ask for this", "Let an administrator allow it in the source's configuration."},
	{schemas.ErrState, 409, "wrong_state", "The present state does not allow this", "Look at its status first."},
	{schemas.ErrCursor, 422, "invalid_query", "The query is not valid", "Correct the parameters that are named and send it again."},
}

// problemOf turns an error into the problem to answer with.
func problemOf(err error) *schemas.Problem {
	if p, ok := errors.AsType[*schemas.Problem](err); ok {
		return p
	}
	for _, t := range told {
		if !errors.Is(err, t.err) {
			continue
		}
		p := schemas.NewProblem(t.status, t.name, t.title, t.detail)
		switch {
		case t.status == http.StatusServiceUnavailable:
			p.RetryAfter = retryLater
		case t.err == schemas.ErrState:
			if why := stateDetail(err); why != "" {
				p.Detail = why
			}
		case t.err == schemas.ErrCursor:
			p.Errors = []schemas.FieldError{{Parameter: "cursor", Detail: "this is not a cursor of ours; begin without one"}}
		}
		return p
	}
	return schemas.NewProblem(http.StatusInternalServerError, "internal", "resetd failed",
		"This is no fault of the request. resetd's log has the cause; send the request again later.")
}

// stateDetail gives what stands behind the mark of schemas.ErrState: the present status and what would be possible. The
// jobs write it of words of their own and statuses. What is long or has several lines is not theirs, but came from
// below, and is kept from the caller; so is everything before the mark.
func stateDetail(err error) string {
	_, why, ok := strings.Cut(err.Error(), schemas.ErrState.Error()+": ")
	if !ok || why == "" || schemas.CheckText(why, maxStateDetail, false) != nil {
		return ""
	}
	first, size := utf8.DecodeRuneInString(why)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(why[size:], ".") + "."
}

// fail answers with the problem that an error stands for.
func (f *Face) fail(c *call, r route, err error) {
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		c.code = "client_gone"
		c.Status(statusClientGone)
		return
	}
	p := problemOf(err)
	if r.hook() {
		p = forSender(p)
	}
	c.code = strings.TrimPrefix(p.Type, problemPrefix)
	if c.transmits() && faultOfToken(p.Status) {
		c.tellTransmitter(presentable(*p))
		return
	}
	if p.Status == http.StatusInternalServerError && !errors.Is(err, errPanicked) {
		f.Logger.Error().Err(err).Str("task", c.task).Str("source", c.source).Str("code", c.code).Msg("request failed")
	}
	body, err := schemas.Encode(presentable(*p))
	if err != nil {
		f.Logger.Error().Err(err).Msg("a problem could not be written")
		c.Status(http.StatusInternalServerError)
		return
	}
	if p.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	c.write(p.Status, problemType, body)
}

// presentable bounds the list of fields, and cuts pointers and parameters that the sender chose so that they could
// deceive whoever reads them: such a pointer ends at the last part that is harmless.
func presentable(p schemas.Problem) schemas.Problem {
	const maxName = 256
	if len(p.Errors) > maxFieldErrors {
		p.Detail = strings.TrimSpace(p.Detail + " Only the first " + strconv.Itoa(maxFieldErrors) + " fields are named.")
	}
	fields := make([]schemas.FieldError, min(len(p.Errors), maxFieldErrors))
	for i := range fields {
		e := p.Errors[i]
		for schemas.CheckText(e.Pointer, maxName, false) != nil {
			e.Pointer = e.Pointer[:max(0, strings.LastIndexByte(e.Pointer, '/'))]
		}
		if schemas.CheckText(e.Parameter, maxName, false) != nil {
			e.Parameter = "…"
		}
		fields[i] = e
	}
	p.Errors = fields
	return p
}
