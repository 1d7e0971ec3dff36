package source

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/schemas"
)

// mapper reads the requests out of a body. It is safe for concurrent use and keeps nothing of the body.
type mapper interface {
	Map(ctx context.Context, h http.Header, body []byte, now time.Time) (Mapped, *schemas.Problem)
}

// Mapped is what a body asks for. It may be nothing: a sender may report what needs no reset.
type Mapped struct {
	Requests []schemas.Request
	// Ignored says why a delivery asks for nothing, as the rules of the source have it; empty if it asks, or is an empty list.
	Ignored string
	// Skipped is how many entries of a list were left out by a rule.
	Skipped int

	root     string    // where the list of requests stands in the body, as a JSON pointer
	pointers []string  // where each entry stands
	deep     bool      // the entries have the fields of a request under their own names
	actors   []string  // who caused what each request reports; nil if the body does not say
	made     time.Time // when the body says that it was made; zero if it does not say
}

// Pointer turns a pointer into the list of requests (/3/systems/0), as jobs gives it, into a pointer into the body
// (/data/3/systems/0; where the body has other fields than a request, the entry is all that can be pointed at).
func (m Mapped) Pointer(p string) string {
	if !strings.HasPrefix(p, "/") {
		return m.root
	}
	place, rest, more := strings.Cut(p[1:], "/")
	i, err := strconv.Atoi(place)
	if err != nil || i < 0 || i >= len(m.pointers) {
		return m.root
	}
	if m.deep && more {
		return m.pointers[i] + "/" + rest
	}
	return m.pointers[i]
}

// Alone is what a body asks for that is one request and nothing else.
func Alone() Mapped { return Mapped{pointers: []string{""}, deep: true} }

// native is resetd's own body: {"type": "password_reset.requested", "timestamp": …, "data": one request or a list}.
type native struct{ v *schemas.Validator }

// Map implements mapper. A body that is no JSON is a 400, anything else that is wrong with it a 422.
func (n native) Map(_ context.Context, _ http.Header, body []byte, _ time.Time) (Mapped, *schemas.Problem) {
	var d schemas.Delivery
	if p := schemas.Decode(body, &d); p != nil {
		return Mapped{}, p
	}
	if p := n.v.Check(&d); p != nil {
		return Mapped{}, p
	}
	m := Mapped{Requests: d.Data.Items, root: "/data", deep: true, pointers: make([]string, len(d.Data.Items)), made: d.Timestamp}
	for i := range m.pointers {
		m.pointers[i] = m.root
		if d.Data.Batch {
			m.pointers[i] += "/" + strconv.Itoa(i)
		}
	}
	return m, nil
}

// foreign is any other body, read by the expressions of a preset or of the configuration.
type foreign struct{ m *mapping.Mapping }

// Map implements mapper.
func (f foreign) Map(ctx context.Context, h http.Header, body []byte, now time.Time) (Mapped, *schemas.Problem) {
	got, p := f.m.Map(ctx, mapping.Input{Body: body, Header: h, Now: now})
	if p != nil {
		return Mapped{}, p
	}
	return Mapped{Requests: got.Requests, Ignored: got.Ignored, Skipped: got.Skipped, pointers: got.Pointers, actors: got.Actors}, nil
}
