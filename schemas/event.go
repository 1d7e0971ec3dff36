package schemas

import "time"

// Event is one line of a task's history. It is never changed; a task is the fold of its events.
type Event struct {
	TaskID string    `json:"task_id"`
	Seq    int       `json:"seq"` // 1, 2, 3 … within the task
	At     time.Time `json:"at"`
	Type   EventType `json:"type"`
	// Actor is who made it happen: source:<name>, token:<name>, worker:<instance>, or resetd.
	Actor string `json:"actor"`
	// System names the enforcement; empty means every enforcement for which the state machine allows the event.
	System     string `json:"system,omitempty"`
	Generation int    `json:"generation,omitzero"`
	Code       Code   `json:"code,omitempty"`
	Detail     string `json:"detail,omitempty"`
	// Steps are the results that became known with this event.
	Steps    []Step    `json:"steps,omitempty"`
	Identity *Identity `json:"identity,omitempty"`
	Intent   *Evidence `json:"intent,omitempty"`
	// DueAt is when the enforcement needs attention again: the end of a lease, or the next attempt. It is what the
	// sweep looks at, and no part of the fold.
	DueAt time.Time `json:"due_at,omitzero"`
	// Waited marks a deferral that the system asked for: it does not count as an attempt.
	Waited bool `json:"waited,omitzero"`
	// WaitsFor, with a deferral, names the system whose enforcement must end first: the end of that ends the wait.
	WaitsFor string `json:"waits_for,omitempty"`
	// CoalescedWith names the enforcement of another task that this one waits for, or, with an end, whose end it shares.
	CoalescedWith *Coalesced `json:"coalesced_with,omitempty"`
	// Alone, with retried, keeps the enforcement from being coalesced.
	Alone bool `json:"alone,omitzero"`
	// Account and Via belong to routed: how the account is named on System, and the system that said so.
	Account *Account `json:"account,omitempty"`
	Via     string   `json:"via,omitempty"`
	// Sealed is the new password, encrypted to the configured recipients (Receipt.Sealed).
	Sealed   string    `json:"sealed,omitempty"`
	Accepted *Accepted `json:"accepted,omitempty"`
}

// Accepted is what an accepted event carries: all that the task begins with.
type Accepted struct {
	Source         string        `json:"source"`
	IdempotencyKey string        `json:"idempotency_key"`
	Request        Request       `json:"request"`
	Callback       *CallbackPlan `json:"callback,omitempty"`
	// Systems are those that the task acts on, each exactly once.
	Systems []string `json:"systems"`
	// Status is where the enforcements begin: queued, pending_approval or rejected (then with the event's code).
	Status Status `json:"status"`
}
