package schemas

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Action is what is asked for.
type Action string

// ActionForcePasswordReset is the one action there is.
const ActionForcePasswordReset Action = "force_password_reset"

// Mode says how a new password is forced.
type Mode string

// The modes. Only randomize ends the use of a stolen password; expire leaves it to whoever holds it to change it.
const (
	ModeRandomize Mode = "randomize" // a random unknown password, to be changed at the next log-in
	ModeExpire    Mode = "expire"    // the must-change flag only
	ModeRecovery  Mode = "recovery"  // the system's own recovery flow
)

// Request asks for one action on one account.
type Request struct {
	Account        Account          `json:"account" validate:"account"`
	Systems        []string         `json:"systems,omitempty" validate:"max=64,unique,dive,name"`
	Action         Action           `json:"action,omitempty" validate:"omitempty,oneof=force_password_reset"`
	Mode           Mode             `json:"mode,omitempty" validate:"omitempty,oneof=randomize expire recovery"`
	RevokeSessions *bool            `json:"revoke_sessions,omitempty"`
	Description    string           `json:"description,omitempty" validate:"lines=4096"`
	Reference      string           `json:"reference,omitempty" validate:"text=256"`
	Callback       *CallbackRequest `json:"callback,omitempty" validate:"omitempty"`
	DryRun         bool             `json:"dry_run,omitzero"`
	OccurredAt     time.Time        `json:"occurred_at,omitzero" validate:"calendar"`
	// Coalesce, if false, has the account reset whatever other tasks do for it or have done lately.
	Coalesce *bool `json:"coalesce,omitempty"`
	// SkipIfChangedSince leaves a password alone that was set at this time or later: its owner, or a reset by hand, may
	// have been quicker than the alert. Sessions are ended all the same. Whoever stole the account may have been quicker
	// too, so it is for the sender to ask for.
	SkipIfChangedSince time.Time `json:"skip_if_changed_since,omitzero" validate:"calendar,since"`
}

// CallbackRequest says where the caller wants to hear, and of what: "final" for the end of the task, or the names of
// the task statuses to be told. No events means what the source's configuration says.
type CallbackRequest struct {
	URL    string   `json:"url,omitempty" validate:"omitempty,max=2048,text=2048,url"`
	Events []string `json:"events,omitempty" validate:"max=9,unique,dive,callback_event"`
}

// WithDefaults fills what the sender left open: force_password_reset, randomize, sessions revoked.
func (r Request) WithDefaults() Request {
	if r.Action == "" {
		r.Action = ActionForcePasswordReset
	}
	if r.Mode == "" {
		r.Mode = ModeRandomize
	}
	if r.RevokeSessions == nil {
		yes := true
		r.RevokeSessions = &yes
	}
	return r
}

// EventResetRequested is the type of the native webhook body.
const EventResetRequested = "password_reset.requested"

// MaxRequests is how many requests one delivery may carry.
const MaxRequests = 1000

// Delivery is the native webhook body: one request, or a list of at most MaxRequests.
type Delivery struct {
	Type      string    `json:"type" validate:"eq=password_reset.requested"`
	Timestamp time.Time `json:"timestamp" validate:"required,calendar"`
	Data      Requests  `json:"data" validate:"required"`
}

// Requests is the data of a delivery. Batch tells whether it came as a list, which decides how its fields are pointed at.
type Requests struct {
	Batch bool      `json:"-"`
	Items []Request `json:"-" validate:"max=1000,dive"`
}

// UnmarshalJSONFrom takes one request or a list of them. It stops reading right after MaxRequests, so that a longer
// list costs no more than that; the validator then names the limit.
func (q *Requests) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		q.Items = make([]Request, 1)
		return json.UnmarshalDecode(dec, &q.Items[0])
	}
	q.Batch = true
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		if len(q.Items) > MaxRequests {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		var r Request
		if err := json.UnmarshalDecode(dec, &r); err != nil {
			return err
		}
		q.Items = append(q.Items, r)
	}
	_, err := dec.ReadToken()
	return err
}

// MarshalJSONTo writes what UnmarshalJSONFrom reads.
func (q Requests) MarshalJSONTo(enc *jsontext.Encoder) error {
	if !q.Batch && len(q.Items) == 1 {
		return json.MarshalEncode(enc, q.Items[0])
	}
	return json.MarshalEncode(enc, q.Items)
}
