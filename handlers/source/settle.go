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
	old := func(at time.Time) bool { return !at.IsZero() && now.Sub(at) > s.maxAge }
	var bad []schemas.FieldError
	add := func(pointer, what string, at time.Time) {
		bad = append(bad, schemas.FieldError{Pointer: pointer, Detail: what + " " + at.UTC().Format(time.RFC3339)})
	}
	switch {
	case old(proof.At):
		add("", "it was issued at", proof.At)
	case old(m.made):
		add("/timestamp", "it was made at", m.made)
	case s.Scheme == schemeSET:
	default:
		for i, r := range m.Requests {
			if old(r.OccurredAt) && len(bad) < mostFaults {
				add(m.Pointer(fmt.Sprintf("/%d/occurred_at", i)), "it happened at", r.OccurredAt)
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return schemas.NewProblem(http.StatusUnprocessableEntity, "too_old", "What is reported is too old",
		fmt.Sprintf("This source takes what happened in the last %s (max_age). If the account is still at risk, ask for the reset by the API, or raise max_age.", plain(s.maxAge)), bad...)
}

// plain writes a duration as a configuration does: 24h, and not 24h0m0s.
func plain(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
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
