package schemas

import "time"

// Identity is the one account that a system found. ID is immutable there (entryUUID, objectGUID, object id …) and is
// what every later call acts on; Name is for people.
type Identity struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Origin says where an account's password lives.
type Origin string

// The origins.
const (
	OriginNative    Origin = "native"    // here
	OriginSynced    Origin = "synced"    // in another directory that is copied here
	OriginFederated Origin = "federated" // with another identity provider
	OriginGuest     Origin = "guest"     // with another organisation
	OriginService   Origin = "service"   // here, but no person logs in with it
)

// Class is what an account is, and the system's own evidence at the time of reading.
type Class struct {
	Origin     Origin   `json:"origin"`
	Privileged bool     `json:"privileged"`
	Enabled    bool     `json:"enabled"`
	Evidence   Evidence `json:"evidence"`
	// Why tells a person what the class was read from, for example "pwdAccountLockedTime is set".
	Why string `json:"why,omitempty"`
	// Source is how the account is named where its password lives, by an id that never changes there if there is one. It
	// is set for a synced account whose copy here says so, and nil otherwise.
	Source *Account `json:"source,omitempty"`
}

// Evidence is what a system says of an account's password, in the system's own clock. Two readings that differ prove
// that the password was set in between; Marker covers what a time of one second's grain cannot tell.
type Evidence struct {
	PasswordChangedAt time.Time `json:"password_changed_at,omitzero"`
	MustChange        bool      `json:"must_change"`
	Marker            string    `json:"marker,omitempty"`
}

// Same tells whether nothing was changed between two readings.
func (e Evidence) Same(o Evidence) bool {
	return e.PasswordChangedAt.Equal(o.PasswordChangedAt) && e.MustChange == o.MustChange && e.Marker == o.Marker
}

// Receipt is what a system answered to a change.
type Receipt struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail,omitempty"`
	// Sealed is the password that was set, encrypted to the configured recipients (age, armoured); empty unless sealed
	// delivery is on.
	Sealed string `json:"sealed,omitempty"`
}

// ProofState is what a reading proves.
type ProofState string

// The proof states.
const (
	ProofEnforced    ProofState = "enforced"     // the account must change its password, and the change is newer than the evidence
	ProofNotEnforced ProofState = "not_enforced" // it need not
	ProofUnknown     ProofState = "unknown"      // it cannot be told
)

// Proof is the answer of a verification. Changed tells whether the password was set since the evidence given, whoever
// did it; Code says why when it is not enforced (unenforced, conflict …).
type Proof struct {
	State    ProofState `json:"state"`
	Changed  bool       `json:"changed"`
	Code     Code       `json:"code,omitempty"`
	Detail   string     `json:"detail,omitempty"`
	Evidence Evidence   `json:"evidence"`
}

// Capabilities is what a probe found out, without changing anything.
type Capabilities struct {
	Product string   `json:"product,omitempty"` // what answered, as it names itself
	Modes   []Mode   `json:"modes,omitempty"`
	Revoke  bool     `json:"revoke"`
	Missing []string `json:"missing,omitempty"` // what our account lacks, and what to grant where
	// Unenforced is what keeps the system from demanding the change: a password can be set, but the reset would end as
	// unenforced. It says what to mend.
	Unenforced []string `json:"unenforced,omitempty"`
	Warn       []string `json:"warn,omitempty"` // what works but should not be so
	// TLS is how the connection is protected; nil if it is not, or if that is not known.
	TLS *TLS `json:"tls,omitempty"`
	// Clock is what the system's clock showed when it answered; zero if it does not tell.
	Clock time.Time `json:"clock,omitzero"`
	// Limit is what the system says of its rate limit, for a person; empty if it says nothing.
	Limit string `json:"limit,omitempty"`
}

// TLS is what a connection was protected with. Without a certificate that runs out, Version alone says how it was made.
type TLS struct {
	Version string    `json:"version"` // for example "TLS 1.3", or "plain http to this machine"
	Until   time.Time `json:"until"`   // when the first certificate of the chain that was verified runs out
}
