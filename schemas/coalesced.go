package schemas

import "time"

// Coalesced names the enforcement of another task that an enforcement shares its end with: both ask for the same reset of
// the same account, and it is made once.
type Coalesced struct {
	TaskID        string `json:"task_id"`
	EnforcementID string `json:"enforcement_id"`
	// FinishedAt is when that one ended; zero as long as it has not. How long others share its end is reckoned from then.
	FinishedAt time.Time `json:"finished_at,omitzero"`
}
