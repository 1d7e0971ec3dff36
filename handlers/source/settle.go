package source

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// tooOld refuses what happened longer ago than the source allows. Where a proof does not cover the time of sending, a
// delivery that somebody kept could be sent again for ever; what it reports has an age all the same. A security event token
// has its time of issue in its signature and no end of its own: that time bounds it, however long ago what it tells of was.
func (s *Source) tooOld(m Mapped, proof verify.Proof, now time.Time) *schemas.Problem {
	if s.maxAge == 0 {
		return nil
	}
	const name, title = "too_old", "What is reported is too old"
	advice := fmt.Sprintf("This source takes what happened in the last %s (max_age), because its scheme does not sign the time of sending. "+
		"If the account is still at risk, ask for the reset by the API, or raise max_age.", s.maxAge)
	if s.Scheme == schemeSET {
		advice = fmt.Sprintf("This source takes tokens that were issued in the last %s (max_age), because they have no end of their own. "+
			"If the account is still at risk, ask for the reset by the API, or raise max_age.", s.maxAge)
	}
	if !proof.At.IsZero() && now.Sub(proof.At) > s.maxAge {
		return schemas.NewProblem(http.StatusUnprocessableEntity, name, title, advice, schemas.FieldError{
			Detail: "it was issued at " + proof.At.UTC().Format(time.RFC3339)})
	}
	if s.Scheme == schemeSET {
		return nil
	}
	var old []schemas.FieldError
	for i, r := range m.Requests {
		if !r.OccurredAt.IsZero() && now.Sub(r.OccurredAt) > s.maxAge && len(old) < mostFaults {
			old = append(old, schemas.FieldError{Pointer: m.Pointer(fmt.Sprintf("/%d/occurred_at", i)), Detail: "it happened at " + r.OccurredAt.UTC().Format(time.RFC3339)})
		}
	}
	if len(old) > 0 {
		return schemas.NewProblem(http.StatusUnprocessableEntity, name, title, advice, old...)
	}
	return nil
}

// mostFaults is how many entries of one body a problem names.
const mostFaults = 20

// leaveOutOwn is the loop guard: a reset of ours is itself news to identity providers and SIEMs, which report it, and a
// report that asked for another reset would never end.
func (s *Source) leaveOutOwn(m *Mapped) {
	if len(s.ownActors) == 0 || len(m.actors) != len(m.Requests) || len(m.Requests) == 0 {
		return
	}
	requests, pointers := m.Requests[:0:0], m.pointers[:0:0]
	for i, r := range m.Requests {
		if !slices.Contains(s.ownActors, strings.ToLower(m.actors[i])) {
			requests, pointers = append(requests, r), append(pointers, m.pointers[i])
		}
	}
	m.Skipped += len(m.Requests) - len(requests)
	m.Requests, m.pointers, m.actors = requests, pointers, nil
	if len(requests) == 0 {
		m.Ignored = "it reports what resetd did itself (own_actors)"
	}
}
