package schemas

import "time"

// SourceState is one source, as an operator sees it. The counts are those of one process since its start.
type SourceState struct {
	Name   string `json:"name"`
	Preset string `json:"preset"`
	Title  string `json:"title"` // of the preset
	Scheme string `json:"scheme"`
	// Weak tells what somebody who has seen one delivery could do, because the scheme proves less than the whole delivery;
	// empty if nothing.
	Weak   string       `json:"weak,omitempty"`
	Limits SourceLimits `json:"limits"`
	Counts SourceCounts `json:"counts"`
}

// SourceList is all sources, in alphabetical order.
type SourceList struct {
	Sources []SourceState `json:"sources"`
}

// SourceLimits are the limits of a source, such as 600 in 1m; empty for no bound.
type SourceLimits struct {
	Deliveries string `json:"deliveries,omitempty"`
	Requests   string `json:"requests,omitempty"`
}

// SourceCounts tell what came of a source's deliveries. A delivery counts once.
type SourceCounts struct {
	Accepted   int64 `json:"accepted"`
	Replayed   int64 `json:"replayed"` // accepted before
	Ignored    int64 `json:"ignored"`  // asked for nothing
	Handshakes int64 `json:"handshakes"`
	Throttled  int64 `json:"throttled"` // over a limit of the source
	Refused    int64 `json:"refused"`   // everything else: not proved, not mapped, not allowed, or a ledger that was full
	// LastRefusal is why the latest was refused: the check that failed, or the name of the problem.
	LastRefusal   string    `json:"last_refusal,omitempty"`
	LastRefusalAt time.Time `json:"last_refusal_at,omitzero"`
	LastAt        time.Time `json:"last_at,omitzero"` // of the latest delivery
}
