package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/resetd/resetd/schemas"
)

// What the history that is searched is made of. Everything follows from the number of a row, so that every run searches
// the same history.
const (
	accounts     = 100_000
	historySpan  = 365 * 24 * time.Hour
	historySeed1 = 20_261_122
	historySeed2 = 7
)

var (
	firstNames = []string{"anna", "ben", "clara", "david", "elif", "farid", "greta", "hugo", "ines", "jonas", "kira", "leon", "mara",
		"nils", "olga", "paul", "quentin", "rosa", "samir", "tessa", "umut", "vera", "wanda", "xaver", "yara", "zoe"}
	lastNames = []string{"adler", "berger", "conrad", "dietrich", "engel", "fischer", "graf", "hofmann", "iversen", "jung",
		"keller", "lindner", "moser", "neumann", "orlov", "peters", "quandt", "richter", "schulz", "thoma",
		"ulrich", "vogt", "winter", "xanders", "yilmaz", "ziegler"}
)

// account names the n-th account, 0 to accounts-1.
func account(n int) string {
	return fmt.Sprintf("%s.%s%d@example.com", firstNames[n%len(firstNames)], lastNames[n/len(firstNames)%len(lastNames)], n/(len(firstNames)*len(lastNames)))
}

// weighted is a list of which one entry is drawn with a probability.
type weighted[T any] []struct {
	value T
	share float64 // out of the sum of all
}

func (w weighted[T]) draw(r *rand.Rand) T {
	var sum float64
	for _, e := range w {
		sum += e.share
	}
	x := r.Float64() * sum
	for _, e := range w {
		if x -= e.share; x < 0 {
			return e.value
		}
	}
	return w[len(w)-1].value
}

// Five sources, ten systems and six statuses, from the usual to the rare. Tasks that wait for a worker are none, because
// resetd would begin to work on them.
var (
	historySources = weighted[string]{{"soar", 60}, {"siem", 25}, {"tickets", 10}, {"portal", 4.9}, {"audit", 0.1}}
	historySystems = weighted[string]{{"corp-ad", 40}, {"entra", 25}, {"okta", 12}, {"corp-ldap", 8}, {"google", 6}, {"keycloak", 4},
		{"plant-ldap", 3}, {"lab-ldap", 1.5}, {"dmz-ldap", 0.45}, {"old-ldap", 0.05}}
	historyEnds = weighted[schemas.EventType]{{schemas.EventSucceeded, 91.5}, {schemas.EventFailed, 5}, {schemas.EventNotFound, 2.5},
		{schemas.EventCancelled, 0.6}, {schemas.EventRejected, 0.38}, {schemas.EventAccepted, 0.02}} // the last stays pending_approval
)

// names gives the values of a list.
func (w weighted[T]) names() []T {
	out := make([]T, len(w))
	for i, e := range w {
		out[i] = e.value
	}
	return out
}
