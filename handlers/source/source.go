// Package source knows who may send webhooks: how a sender proves itself, and how its body becomes requests. A sender is
// data, not code: a preset in YAML names one of the schemes of package verify and a mapping for package mapping, and a
// source of the configuration is laid over it.
package source

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// Source is one configured sender. It is safe for concurrent use.
type Source struct {
	Name   string
	Preset string // the name of the preset
	Title  string // of the preset
	Scheme string // the name of the verification scheme
	// Challenge is what a 401 asks for in WWW-Authenticate (RFC 9110 §11.6.1). Some senders show a password only to who asks so.
	Challenge string
	// Weak tells what somebody who has seen one delivery could do; empty if nothing.
	Weak string
	// Respond is what the sender gets for a delivery that was taken.
	Respond sender.Respond
	// Repeat is what becomes of a body that was seen before, where the proof covers no id.
	Repeat schemas.Repeat
	// Limits are those of the configuration.
	Limits Limits

	scheme     verify.Scheme
	inURL      bool // the source's secret is the part of the path behind its name
	handshakes []handshake
	read       reader
	mapper     mapper
	media      []string
	maxAge     time.Duration // of what is reported; zero is no bound
	ownActors  []string      // lower case
}

// Limits bound what one source may ask of this process; the zero value is no bound.
type Limits struct {
	Deliveries Rate // how many verified deliveries are taken
	Requests   Rate // how many requests out of them
}

// Rate is a number in a time.
type Rate struct {
	Count int
	Per   time.Duration
}

// Verify proves that a delivery is the source's own. The error is a *verify.Error, whose detail may be told to the sender.
func (s *Source) Verify(ctx context.Context, d *verify.Delivery, now time.Time) (verify.Proof, error) {
	proof, err := s.scheme.Verify(ctx, d, now)
	if err == nil && d.Token != "" && !s.inURL {
		return verify.Proof{}, &verify.Error{Reason: verify.ReasonWrongSecret, Detail: "the URL has a part behind the source's name, which this source's scheme does not know"}
	}
	return proof, err
}

// Ready tells whether the source has all that its scheme must fetch, such as the public keys of an issuer, and fetches it
// if need be. The error is for an operator.
func (s *Source) Ready(ctx context.Context) error { return verify.Ready(ctx, s.scheme) }

// Answer gives what a handshake of the sender is answered with, or false for a delivery that is none. It is to be asked
// after Verify.
func (s *Source) Answer(d *verify.Delivery, query func(string) string, payload []byte) (Reply, bool) {
	for _, h := range s.handshakes {
		if r, ok := h(d, query, payload); ok {
			return r, true
		}
	}
	return Reply{}, false
}

// Map reads the requests out of a delivery that was verified: those that are not too old, and do not report what resetd did
// itself. What it gives holds no part of the payload's memory, which is used again for another delivery. The problem's
// pointers point into the body.
func (s *Source) Map(ctx context.Context, h http.Header, proof verify.Proof, now time.Time) (Mapped, *schemas.Problem) {
	body, p := s.read(proof.Payload)
	if p != nil {
		return Mapped{}, p
	}
	m, p := s.mapper.Map(ctx, h, body, now)
	if p != nil {
		return Mapped{}, p
	}
	s.leaveOutOwn(&m)
	if p := s.tooOld(m, proof, now); p != nil {
		return Mapped{}, p
	}
	return m, nil
}

// Asks tells whether the sender asks questions before its deliveries.
func (s *Source) Asks() bool { return len(s.handshakes) > 0 }

// Transmits tells whether the source sends security event tokens, and hears of errors in the words of RFC 8935.
func (s *Source) Transmits() bool { return s.Scheme == schemeSET }

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

// String gives the rate as a person reads it; empty is no bound.
func (r Rate) String() string {
	if r.Count == 0 {
		return ""
	}
	return strconv.Itoa(r.Count) + " in " + r.Per.String()
}
