package mapping

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// kind says what is wrong with an entry; it becomes the type of the problem.
type kind int

const (
	kindNoAccount kind = iota
	kindUncertain
	kindInvalid
	kindFailed
	kindCostly
	kindSlow
)

// kinds are the problems by kind.
var kinds = map[kind]schemas.Problem{
	kindNoAccount: *schemas.NewProblem(422, "no_account", "The delivery names no account",
		"Nothing was done. Each place is named with what was looked for; change what the sender sends, or the source's map."),
	kindUncertain: *schemas.NewProblem(422, "uncertain_account", "It is not certain which account is meant",
		"Nothing was done. Each place is named with the reason; change what the sender sends, or the source's map, or leave such entries out by skip_when."),
	kindInvalid: *schemas.NewProblem(422, "invalid_request", "The request is not valid",
		"Nothing was done. Correct what is named, in what the sender sends or in the source's map."),
	kindFailed: *schemas.NewProblem(422, "mapping_failed", "An expression of the source fails on this body",
		"Nothing was done. Correct the expression that is named; `resetd source test` shows it on a body."),
	kindCostly: *schemas.NewProblem(422, "mapping_too_costly", "The expressions of the source take too much for this body",
		"Nothing was done, and the same body would end the same way. Simplify the expression that is named, or split the delivery."),
	kindSlow: {Type: "urn:resetd:problem:mapping_timed_out", Title: "The expressions of the source took too long", Status: 503,
		Detail: "Nothing was done; send it again. If that happens often, simplify the expression that is named.", RetryAfter: 5 * time.Second},
}

// fault is what is wrong with one entry.
type fault struct {
	kind   kind
	detail string
	stop   bool // no other entry is worth a look
}

func (f *fault) problem(pointer string) *schemas.Problem {
	all := faults{}
	all.add(pointer, f)
	return all.problem()
}

const maxFaults = 20

// faults collects what is wrong with the entries of a delivery. The first tells the type of the problem.
type faults struct {
	first kind
	list  []schemas.FieldError
	more  int
}

func (f *faults) add(pointer string, one *fault) {
	if len(f.list) == 0 {
		f.first = one.kind
	}
	if len(f.list) == maxFaults {
		f.more++
		return
	}
	f.list = append(f.list, schemas.FieldError{Pointer: pointer, Detail: one.detail})
}

func (f *faults) problem() *schemas.Problem {
	if len(f.list) == 0 {
		return nil
	}
	p := kinds[f.first]
	p.Errors = f.list
	if f.more > 0 {
		p.Detail += fmt.Sprintf(" %d more entries have a fault and are not listed.", f.more)
	}
	return &p
}

func tooManyEntries() *schemas.Problem {
	return schemas.NewProblem(422, "too_many_entries", "The delivery has too many entries",
		fmt.Sprintf("At most %d are taken; split it into several deliveries, each with an id of its own.", schemas.MaxRequests))
}

// failed is the problem of an expression that failed.
func failed(at, pointer string, err error) *schemas.Problem {
	return errorFault(at, err).problem(pointer)
}

// errorFault tells why an expression failed. The words of the library are not passed on where they may quote the body.
func errorFault(at string, err error) *fault {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &fault{kind: kindSlow, stop: true, detail: at + ": the time for the expressions of a delivery ended here"}
	}
	if e, ok := errors.AsType[limitError](err); ok {
		return &fault{kind: kindCostly, stop: true, detail: at + ": " + string(e)}
	}
	why := "it fails on this value"
	if e, ok := errors.AsType[reasonError](err); ok {
		why = string(e)
	} else if strings.HasPrefix(err.Error(), "no such overload") {
		why = "a value has another type than is taken; use string(…), int(…), lower(…) or ?. before it"
	}
	return &fault{kind: kindFailed, detail: at + ": " + why}
}

// looked tells what was looked for and what was found, for a person.
type looked []string

func (l *looked) add(e *expression, v any, found bool) {
	state := "empty"
	switch {
	case e.program != nil && absent(v):
		state = "gave nothing"
	case !found:
		state = "missing"
	case v == nil:
		state = "null"
	case !absent(v):
		state = "names nobody"
	}
	*l = append(*l, e.name()+" ("+state+")")
}

// String joins it.
func (l looked) String() string { return strings.Join(l, ", ") }

const (
	maxName  = 80
	maxQuote = 64
)

// name is the source of an expression, cut to what a detail can hold.
func (e *expression) name() string { return cut(e.source, maxName) }

var secretName = regexp.MustCompile(`(?i)pass|pwd|secret|token|credential|api_?-?key|auth`)

// quote gives an account as it was found, cut; nothing if it stands where a secret may stand, or may have one behind it, as
// in jdoe:password.
func (e *expression) quote(v any) string {
	s, ok := v.(string)
	if s = cut(strings.TrimSpace(s), maxQuote); !ok || secretName.MatchString(e.source) || strings.ContainsAny(s, ":;|\t\n") {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}

// cut gives at most so many characters of a text.
func cut(s string, longest int) string {
	last := 0 // where the last character that is kept before … ends
	n := 0
	for i := range s {
		if n++; n == longest {
			last = i
		}
		if n > longest {
			return s[:last] + "…"
		}
	}
	return s
}
