package ledger

import (
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// A scope is what never changes of a task's place in the search: who asked, and which systems it acts on. A
// configuration has few of them, so the search can name every one that fits a filter.
type scope struct{ source, systems string }

const scopeSeparator = " "

func newScope(source string, systems []string) scope {
	if len(systems) == 1 {
		return scope{source, systems[0]}
	}
	sorted := slices.Sorted(slices.Values(systems))
	return scope{source, strings.Join(sorted, scopeSeparator)}
}

func (s scope) acts(system string) bool {
	return slices.Contains(strings.Split(s.systems, scopeSeparator), system)
}

// A facet is a scope's number and a status in one integer. One index on (facet, created_at) serves every combination of
// status, source and system: a search reads the newest of each facet that fits and merges them, so a combination
// without a match is as quick as one with many.
const facetStatusBits = 4

const facetStatusMask = 1<<facetStatusBits - 1

// The numbers of the statuses are stored: they must never change. Those from firstFinal on are final.
var statusNumbers = map[schemas.Status]int64{
	schemas.StatusQueued:              1,
	schemas.StatusPendingApproval:     2,
	schemas.StatusInProgress:          3,
	schemas.StatusSuccessful:          8,
	schemas.StatusPartiallySuccessful: 9,
	schemas.StatusUnsuccessful:        10,
	schemas.StatusRejected:            11,
	schemas.StatusCancelled:           12,
}

const firstFinal = 8

func facet(scope int64, s schemas.Status) int64 { return scope<<facetStatusBits | statusNumbers[s] }
