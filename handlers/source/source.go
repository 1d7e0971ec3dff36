// Package source knows who may send webhooks: how a sender signs, and how its body becomes requests. A sender is data,
// not code: a preset in YAML names one of the schemes and one of the mappings of this package.
package source

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Verifier tells whether a delivery comes from whom it claims to come. It is safe for concurrent use and keeps neither
// the header nor the body.
type Verifier interface {
	// Verify checks the raw body, byte for byte as it arrived, and gives the sender's own key of the delivery: the
	// idempotency key. The error is a *signature.Error, whose detail may be told to the sender.
	Verify(h http.Header, body []byte, now time.Time) (key string, err error)
}

// Mapper reads the requests out of a body that was verified. It is safe for concurrent use; what it gives holds no part
// of the body's memory, which is used again for another delivery.
type Mapper interface {
	// Map gives requests that are valid as far as their own fields go. The problem's pointers point into the body.
	Map(body []byte) (Mapped, *schemas.Problem)
}

// Mapped is what a body asks for. It may be nothing: a sender may report what needs no reset.
type Mapped struct {
	Requests []schemas.Request
	// Root is where the requests stand in the body, as a JSON pointer: the list of them, or the only one if Single.
	Root   string
	Single bool
}

// Pointer turns a pointer into the list of requests (/3/systems/0), as jobs gives it, into a pointer into the body
// (/data/3/systems/0, or /data/systems/0 for a single request).
func (m Mapped) Pointer(p string) string {
	if m.Single && strings.HasPrefix(p, "/") {
		_, p, _ = strings.Cut(p[1:], "/")
		if p != "" {
			p = "/" + p
		}
	}
	return m.Root + p
}

// Source is one configured sender.
type Source struct {
	Name   string
	Scheme string // the name of the Verifier's scheme, for the challenge of a 401
	Verifier
	Mapper
}

// Set is all sources. It does not change after New.
type Set struct {
	byName map[string]*Source
	nobody *Source
}

// Find gives the source of a name. For an unknown name it gives, with known false, a source that no delivery satisfies:
// a caller that verifies against it spends as much on a wrong name as on a wrong signature, so that a gateway that
// answers every refusal alike does not tell the names by its delay.
func (s *Set) Find(name string) (src *Source, known bool) {
	if src, known = s.byName[name]; known {
		return src, true
	}
	return s.nobody, false
}

// Names gives the names of all sources in alphabetical order.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.byName)) }
