package schemas

import "time"

// SightingState says whether a system knows an account.
type SightingState string

// The states of a sighting.
const (
	SightingFound     SightingState = "found"
	SightingNotFound  SightingState = "not_found"
	SightingAmbiguous SightingState = "ambiguous"
	SightingFailed    SightingState = "failed" // it could not be told; the code says why
)

// SightingStates lists every state.
func SightingStates() []SightingState {
	return []SightingState{SightingFound, SightingNotFound, SightingAmbiguous, SightingFailed}
}

// Sighting is an account as one system shows it, read without changing anything.
type Sighting struct {
	System string        `json:"system"`
	Kind   string        `json:"kind"`
	State  SightingState `json:"state"`
	Code   Code          `json:"code"` // ok when found
	Detail string        `json:"detail,omitempty"`
	TookMS int64         `json:"took_ms"`
	// Permission is the system's policy enforcement permission.
	Permission Permission `json:"permission"`
	// Identity is set once the account is found, even if the rest could not be read.
	Identity *Identity `json:"identity,omitempty"`
	Profile  *Profile  `json:"profile,omitempty"`
	// Modes are those that a reset of any account can have there, as far as they are known; Revoke tells that the system
	// can end sessions.
	Modes  []Mode `json:"modes,omitempty"`
	Revoke bool   `json:"revoke,omitzero"`
}

// Profile is what an account is on one system.
type Profile struct {
	Origin            Origin    `json:"origin"`
	Enabled           bool      `json:"enabled"`
	Privileged        bool      `json:"privileged"`
	Why               string    `json:"why,omitempty"` // what the class was read from
	PasswordChangedAt time.Time `json:"password_changed_at,omitzero"`
	MustChange        bool      `json:"must_change"`
	// Protected tells that the rules of this installation refuse a reset, whoever asks, and ProtectedBecause why.
	Protected        bool     `json:"protected"`
	ProtectedBecause string   `json:"protected_because,omitempty"`
	Source           *Account `json:"source,omitempty"` // how a synced account is named where its password lives
}

// ProfileOf gives the profile of an account of some class. Whether it is protected is for those to say who know the rules.
func ProfileOf(c Class) *Profile {
	return &Profile{Origin: c.Origin, Enabled: c.Enabled, Privileged: c.Privileged, Why: c.Why,
		PasswordChangedAt: c.Evidence.PasswordChangedAt, MustChange: c.Evidence.MustChange, Source: c.Source}
}

// Class gives back what a profile was made of, without the evidence.
func (p Profile) Class() Class {
	return Class{Origin: p.Origin, Enabled: p.Enabled, Privileged: p.Privileged, Why: p.Why, Source: p.Source}
}

// AccountReport is one account on every system, in the order of the configuration.
type AccountReport struct {
	Account Account    `json:"account"`
	Systems []Sighting `json:"systems"`
}
