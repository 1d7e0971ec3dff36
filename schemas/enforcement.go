package schemas

import (
	"strconv"
	"strings"
	"time"
)

// StepName is one stage of an enforcement.
type StepName string

// The steps, in the order in which they are done.
const (
	StepResolve   StepName = "resolve"
	StepClassify  StepName = "classify"
	StepPreflight StepName = "preflight"
	StepReset     StepName = "reset"
	StepRevoke    StepName = "revoke"
	StepVerify    StepName = "verify"
)

var walk = []StepName{StepResolve, StepClassify, StepPreflight, StepReset, StepRevoke, StepVerify}

// Step is the result of one stage.
type Step struct {
	Name   StepName  `json:"name"`
	Code   Code      `json:"code"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
}

// Enforcement is the part of a task on one system.
type Enforcement struct {
	ID     string `json:"id"`
	System string `json:"system"`
	Status Status `json:"status"`
	Code   Code   `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Generation counts the claims and repeats; a worker that holds an older one has lost the right to act.
	Generation int `json:"generation"`
	// Attempts counts the claims since the enforcement was queued or retried; waits that the system asked for do not count,
	// nor does a claim that found out that another task does the same.
	Attempts int       `json:"attempts"`
	Steps    []Step    `json:"steps,omitempty"`
	Identity *Identity `json:"identity,omitempty"`
	// Account, if set, is what is looked for in place of the request's account, and Via the system that said so: an
	// account whose password lives here is copied there.
	Account *Account `json:"account,omitempty"`
	Via     string   `json:"via,omitempty"`
	// CoalescedWith, if set, is the enforcement of another task whose end is, or will be, that of this one too. Nothing is
	// done for this one then.
	CoalescedWith *Coalesced `json:"coalesced_with,omitempty"`
	// Alone tells that a person has had it repeated: it is not coalesced any more.
	Alone bool `json:"alone,omitzero"`
	// WaitsFor is the system whose enforcement must end first, while queued.
	WaitsFor string `json:"waits_for,omitempty"`
	// Sealed is the new password, encrypted to the configured recipients (age, armoured); never in a callback.
	Sealed string `json:"sealed,omitempty"`
	// Intent is the system's evidence read right before the reset. While the enforcement is in progress it means that a
	// reset may have been sent: it must be verified before it is done again.
	Intent     *Evidence `json:"intent,omitempty"`
	IntentAt   time.Time `json:"intent_at,omitzero"`
	NotBefore  time.Time `json:"not_before,omitzero"` // earliest next attempt, while queued
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// Follows tells whether the enforcement waits for the end of another task's.
func (e Enforcement) Follows() bool { return e.CoalescedWith != nil && e.Status == StatusQueued }

// InDoubt tells whether a reset may have been sent whose outcome was never recorded.
func (e Enforcement) InDoubt() bool { return e.Intent != nil && !e.Status.Final() }

// Misnamed tells whether the system had no account, or several, for the name that was asked for, and was told no other.
func (e Enforcement) Misnamed() bool {
	return e.Account == nil && (e.Status == StatusNotFound || e.Status == StatusUnsuccessful && e.Code == CodeAccountAmbiguous)
}

// TaskOf gives the id of the task that an enforcement's id belongs to.
func TaskOf(enforcement string) string {
	return enforcement[:max(0, strings.LastIndexByte(enforcement, '.'))]
}

// EnforcementID is the id of a task's n-th enforcement, counted from 0.
func EnforcementID(task string, n int) string { return task + "." + strconv.Itoa(n) }
