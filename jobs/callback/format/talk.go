package format

import (
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/resetd/resetd/schemas"
)

// Talk is what is to be said to a receiver of one event. It belongs to one attempt and is not safe for concurrent use.
type Talk struct {
	f      *Format
	event  Event
	values map[string]value
	taken  map[string]string
}

// Unaddressed is the error of an event that the receiver has no place for: its reference has not the form that the format
// needs. No other attempt would end otherwise.
type Unaddressed struct{ text string }

func (e *Unaddressed) Error() string { return e.text }

// Request is one request, ready to be sent but for its host and the log-in.
type Request struct {
	Name   string
	Method string
	// Address is path and query below the base URL; empty: the base itself.
	Address string
	Header  http.Header
	Body    []byte // nil for none
	// Reads tells that the body of a 2xx answer must be read for its verdict.
	Reads bool
	// Asks tells that the request changes nothing at the receiver.
	Asks bool

	step *step
}

// Talk begins to tell an event. An *Unaddressed error means that there is nowhere to tell it.
func (f *Format) Talk(e Event) (*Talk, error) {
	if r := e.Task.Request.Reference; f.reference != nil && !f.reference.MatchString(r) {
		needed := f.referenceIs
		if needed == "" {
			needed = "of the form that the template asks for"
		}
		if r == "" {
			return nil, &Unaddressed{"the task has no reference, which would be " + needed + "; let the sender put it into the request's reference"}
		}
		return nil, &Unaddressed{fmt.Sprintf("the task's reference %q is not %s; correct what the sender puts into the request's reference", clip(line(r), 40), needed)}
	}
	return &Talk{f: f, event: e, values: f.values(e), taken: map[string]string{}}, nil
}

// Left lists the names of the requests that are to be made, in their order, when those in done were taken before: without
// those that this status does not need, and without questions behind which nothing is left.
func (t *Talk) Left(done []string) []string {
	var out, questions []string
	for _, s := range t.f.steps {
		switch {
		case s.question():
			questions = append(questions, s.name)
		case s.wants(t.event.Task.Status) && t.given(s.needs) && !slices.Contains(done, s.name):
			out = append(out, append(questions, s.name)...)
			questions = nil
		}
	}
	return out
}

func (t *Talk) given(params []string) bool {
	for _, name := range params {
		if _, ok := t.f.param(name, string(t.event.Task.Status)); !ok {
			return false
		}
	}
	return true
}

// Request makes the request of a name that Left gave. Those before it must have been made and heard.
func (t *Talk) Request(name string) (Request, error) {
	s := t.f.steps[slices.IndexFunc(t.f.steps, func(s *step) bool { return s.name == name })]
	out := Request{Name: name, Method: s.method, Header: http.Header{}, Reads: s.reads(), Asks: s.question(), step: s}
	plain := func(name string) string {
		if name == "reference" { // as it was sent: its form has been checked, and an address is escaped in its own way
			return t.event.Task.Request.Reference
		}
		return t.plain(name)
	}
	var err error
	if out.Address, err = s.address.write(plain); err != nil {
		return out, &Unaddressed{err.Error() + "; let the sender send another reference, or correct the template"}
	}
	if s.body != nil {
		v, _ := t.render(s.body, nil)
		if out.Body, err = schemas.Encode(v); err != nil {
			return out, fmt.Errorf("the body cannot be written as JSON: %w", err)
		}
		out.Header.Set("Content-Type", "application/json")
	}
	for name, text := range s.headers {
		if only, alone := text.sole(); alone && t.value(only, nil).none {
			continue
		}
		v := text.put(plain)
		if !httpguts.ValidHeaderFieldValue(v) {
			return out, &Unaddressed{"the value of the header " + name + " cannot be sent; let the sender send another reference"}
		}
		out.Header.Set(name, v)
	}
	return out, nil
}

// plain gives a value for an address, without the escapes of the receiver's markup.
func (t *Talk) plain(name string) string {
	switch name {
	case "task_id":
		return t.event.Task.ID
	case "event_id":
		return t.event.ID
	case "source":
		return t.event.Task.Source
	case "status":
		return string(t.event.Task.Status)
	}
	return t.value(name, nil).text
}

// Verdict tells what an answer to a request means: nothing for one that was taken, else what is wrong in one sentence. It
// is for answers of status 2xx; the others have failed whatever they say.
func (t *Talk) Verdict(r Request, body []byte) string { return t.hear(r.step, body) }

// Hint says what a person may do about an answer that failed; empty if that is not known. It quotes no more of the body
// than one word of a list that is our own.
func (t *Talk) Hint(r Request, status int, body []byte) string { return t.hint(r.step, status, body) }

// Several tells whether an event may take more than one request, so that each needs an id of its own.
func (t *Talk) Several() bool { return len(t.f.steps) > 1 }

// Asks tells whether the request of a name only asks, so that it may be made again.
func (t *Talk) Asks(name string) bool {
	return slices.ContainsFunc(t.f.steps, func(s *step) bool { return s.name == name && s.question() })
}

// Appends tells whether a request of the format adds a path to the base URL.
func (f *Format) Appends() bool {
	return slices.ContainsFunc(f.steps, func(s *step) bool { return len(s.address.path) > 0 })
}
