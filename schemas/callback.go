package schemas

import (
	"slices"
	"strconv"
	"time"
)

// CallbackFinal is the event that stands for every final status.
const CallbackFinal = "final"

// CallbackPlan is what was settled when the task was accepted: where it tells, and of what. Where the source's format is
// a template, the URL shows scheme, host and port alone: the rest is configured, and may be a secret.
type CallbackPlan struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
}

// Wants tells whether the plan asks to hear of a status.
func (p *CallbackPlan) Wants(s Status) bool {
	if p == nil {
		return false
	}
	return slices.Contains(p.Events, string(s)) || s.Final() && slices.Contains(p.Events, CallbackFinal)
}

// CallbackDue tells whether the step from one version of a task to the next is one that its caller wants to hear of.
// The ledger asks it inside the transaction that records the step.
func CallbackDue(before, after Task) bool {
	return before.Status != after.Status && after.Callback.Wants(after.Status)
}

// CallbackID gives the id of the callback that tells a task's status at a version. It is fixed by what it tells, and fit
// to be a webhook-id.
func CallbackID(task string, version int) string { return "cb_" + task + "_" + strconv.Itoa(version) }

// CallbackState is where a callback stands.
type CallbackState string

// The states of a callback.
const (
	CallbackPending   CallbackState = "pending"   // to be sent, or to be sent again
	CallbackDelivered CallbackState = "delivered" // the receiver said 2xx
	CallbackDead      CallbackState = "dead"      // given up; redeliver starts it again
)

// Callback is one message that a caller is owed. Its id is the webhook-id of every attempt; its body is the fold of the
// task's first Version events, so that every attempt says the same.
type Callback struct {
	ID       string        `json:"id"`
	TaskID   string        `json:"task_id"`
	Source   string        `json:"source"`
	URL      string        `json:"url"`
	Status   Status        `json:"status"` // the task status that it tells
	Version  int           `json:"version"`
	State    CallbackState `json:"state"`
	Attempts int           `json:"attempts"`
	// Generation counts the claims, as for an enforcement.
	Generation int       `json:"generation"`
	CreatedAt  time.Time `json:"created_at"`
	DueAt      time.Time `json:"due_at,omitzero"` // the next attempt, while pending
	Log        []Attempt `json:"log,omitempty"`
}

// Attempt is one try to deliver a callback.
type Attempt struct {
	N      int       `json:"n"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	// HTTPStatus is the receiver's answer; zero when there was none.
	HTTPStatus int `json:"http_status,omitzero"`
	// Error is a short class (dns, connect, tls, timeout, refused_address, redirect, status …); empty when delivered.
	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Done names those requests of the source's callback format that were taken so far, where another one failed: the next
	// attempt does not make them again.
	Done []string `json:"done,omitempty"`
}

// Done names the requests that need not be made again: those that were taken before the last attempt failed. A callback
// that is sent again after it was delivered begins anew.
func (c Callback) Done() []string {
	if len(c.Log) == 0 || c.Log[len(c.Log)-1].Error == "" {
		return nil
	}
	return c.Log[len(c.Log)-1].Done
}

// AttemptBusy is the Attempt.Error of a callback that was not sent, because too many others wait for the same receiver.
// It does not count as an attempt.
const AttemptBusy = "busy"

// AttemptNoReference is the Attempt.Error of a callback that has nowhere to go: the task names no ticket in the form that
// the source's callback format needs. No other attempt would end otherwise, so none is made.
const AttemptNoReference = "no_reference"

// CallbackMessage is the body of a callback in the standard format.
type CallbackMessage struct {
	Type      string    `json:"type"` // password_reset.<status>
	Timestamp time.Time `json:"timestamp"`
	Data      Task      `json:"data"`
}

// Message makes the body that tells the task's present status.
func (t Task) Message() CallbackMessage {
	t.Enforcements = slices.Clone(t.Enforcements)
	for i := range t.Enforcements {
		t.Enforcements[i].Sealed = ""
	}
	return CallbackMessage{Type: "password_reset." + string(t.Status), Timestamp: t.UpdatedAt, Data: t}
}
