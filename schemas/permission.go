package schemas

import "time"

// Permission is the policy enforcement permission of a system: whether resetd may change accounts there.
type Permission string

// The permissions.
const (
	PermissionGranted    Permission = "granted"
	PermissionNotGranted Permission = "not_granted"
)

// Decision is what was decided about a permission while resetd ran. It is kept in the ledger.
type Decision string

// The decisions. DecisionConfigured takes an earlier one back: the configuration counts again.
const (
	DecisionGranted    Decision = "granted"
	DecisionNotGranted Decision = "not_granted"
	DecisionConfigured Decision = "configured"
)

// Decisions lists every decision.
func Decisions() []Decision {
	return []Decision{DecisionGranted, DecisionNotGranted, DecisionConfigured}
}

// Over gives the permission that holds when this is the latest decision and the configuration says configured. Whatever
// is not known grants nothing.
func (d Decision) Over(configured Permission) Permission {
	switch {
	case d == DecisionGranted, (d == DecisionConfigured || d == "") && configured == PermissionGranted:
		return PermissionGranted
	}
	return PermissionNotGranted
}

// ActorConfiguration stands for whoever edited the configuration, in PermissionChange.Actor.
const ActorConfiguration = "configuration"

// PermissionChange is one line of the history of a system's permission. Lines are added and never changed. From and To are
// what held before and after, as the process that recorded it knew.
type PermissionChange struct {
	System   string     `json:"system"`
	At       time.Time  `json:"at"`
	Actor    string     `json:"actor"` // token:<name>, or ActorConfiguration
	Decision Decision   `json:"decision"`
	From     Permission `json:"from"`
	To       Permission `json:"to"`
	Reason   string     `json:"reason,omitempty"`
}

// MaxReason bounds the reason of a decision, in bytes.
const MaxReason = 1024

// PermissionRequest is a person's decision, as the API takes it.
type PermissionRequest struct {
	Permission Permission `json:"permission" validate:"required,oneof=granted not_granted"`
	Reason     string     `json:"reason,omitempty" validate:"text=1024"`
}

// PermissionOrigin says where the permission that holds comes from.
type PermissionOrigin string

// The origins of a permission.
const (
	FromConfiguration PermissionOrigin = "configuration"
	FromRunTime       PermissionOrigin = "run_time"
)

// PermissionState is the permission that holds, and why. By, At and Reason are those of the decision at run time, and empty
// where there is none.
type PermissionState struct {
	Permission Permission       `json:"permission"`
	From       PermissionOrigin `json:"from"`
	Configured Permission       `json:"configured"` // what the configuration of the answering process says
	By         string           `json:"by,omitempty"`
	At         time.Time        `json:"at,omitzero"`
	Reason     string           `json:"reason,omitempty"`
}

// StateOf gives the permission that holds over a configuration after the latest change; the zero value stands for none.
func StateOf(latest PermissionChange, configured Permission) PermissionState {
	s := PermissionState{Permission: latest.Decision.Over(configured), From: FromConfiguration, Configured: configured}
	if latest.Decision == DecisionGranted || latest.Decision == DecisionNotGranted {
		s.From, s.By, s.At, s.Reason = FromRunTime, latest.Actor, latest.At, latest.Reason
	}
	return s
}
