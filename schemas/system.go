package schemas

import "time"

// System is a configured IAM system, as operators see it. It holds none of its settings but those named here.
type System struct {
	Name        string          `json:"name"`
	Kind        string          `json:"kind"`
	Enforcement PermissionState `json:"enforcement"`
	// State tells how the calls to it go at present, as the answering process sees it: closed, open, half_open or paused.
	State  string    `json:"state"`
	Since  time.Time `json:"since,omitzero"`   // when the state came about; zero if it was so from the start
	Until  time.Time `json:"until,omitzero"`   // when a pause ends, or the system is tried again
	Reason string    `json:"reason,omitempty"` // why calls do not go through
	// Share is how much of its pace the system gets, from 0 to 1.
	Share float64 `json:"share"`
	Rate  string  `json:"rate,omitempty"` // calls in a time, for example 20/s; empty is no bound
	// TimeoutMS is the longest that one call may take, in milliseconds.
	TimeoutMS int64 `json:"timeout_ms"`
	Backlog   int   `json:"backlog"` // enforcements that are not finished
	// Check is the last check that the answering process made; nil if it has made none.
	Check *Check `json:"check,omitempty"`
	// History is the latest changes of the permission, newest first; only where one system is shown.
	History []PermissionChange `json:"history,omitempty"`
}

// SystemList is all systems, in the order of the configuration.
type SystemList struct {
	Systems []System `json:"systems"`
}
