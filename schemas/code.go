package schemas

import "slices"

// Code says what happened to an enforcement or one of its steps. The list is closed; it never says what to do about it.
type Code string

// The outcome codes.
const (
	CodeOK                Code = "ok"                 // done, and proved
	CodeAlreadyInForce    Code = "already_in_force"   // the wanted state was there before we came
	CodeAccountNotFound   Code = "account_not_found"  // no account matches
	CodeAccountAmbiguous  Code = "account_ambiguous"  // more than one account matches
	CodeProtected         Code = "protected"          // our own rules forbid it
	CodeNotApplicable     Code = "not_applicable"     // this system does not hold the account's password
	CodeResetAtSource     Code = "reset_at_source"    // the password lives in another system
	CodePermissionMissing Code = "permission_missing" // the operator or the vendor has not granted the right
	CodeBadCredentials    Code = "bad_credentials"    // the system refuses our own log-in
	CodePasswordRejected  Code = "password_rejected"  // the system's policy refuses every password we made
	CodeUnenforced        Code = "unenforced"         // accepted by the system, but not enforced by it
	CodeConflict          Code = "conflict"           // the account's state does not allow it
	CodeUnsupported       Code = "unsupported"        // the system cannot do this step
	CodeRateLimited       Code = "rate_limited"       // the system asks us to wait
	CodeUnavailable       Code = "unavailable"        // the system does not answer, or says it is down
	CodeTimedOut          Code = "timed_out"          // no answer in time; the effect is unknown
	CodeNeedsReview       Code = "needs_review"       // a person must look: the effect cannot be proved
	CodeApprovalRejected  Code = "approval_rejected"  // a person said no
	CodeApprovalExpired   Code = "approval_expired"   // nobody answered in time
	CodeBrake             Code = "brake"              // too many resets at once: the brake is on
	CodeUnexpected        Code = "unexpected"         // an answer we do not understand
)

type codeRule struct {
	code      Code
	retryable bool
	rank      int // of several failures the one with the highest rank speaks for the task
}

// The whole retry policy, one table. Retryable means: the same call may succeed later without a person doing anything.
var codeRules = []codeRule{
	{CodeOK, false, 0},
	{CodeAlreadyInForce, false, 0},
	{CodeNotApplicable, false, 1},
	{CodeAccountNotFound, false, 2},
	{CodeUnsupported, false, 3},
	{CodeResetAtSource, false, 4},
	{CodeRateLimited, true, 5},
	{CodeUnavailable, true, 6},
	{CodeTimedOut, true, 7},
	{CodeConflict, false, 8},
	{CodePasswordRejected, false, 9},
	{CodeApprovalExpired, false, 10},
	{CodeApprovalRejected, false, 11},
	{CodeBrake, false, 12},
	{CodeProtected, false, 13},
	{CodeUnexpected, false, 14},
	{CodePermissionMissing, false, 15},
	{CodeBadCredentials, false, 16},
	{CodeAccountAmbiguous, false, 17},
	{CodeUnenforced, false, 18},
	{CodeNeedsReview, false, 19},
}

// Codes lists every outcome code once.
func Codes() []Code {
	out := make([]Code, len(codeRules))
	for i, r := range codeRules {
		out[i] = r.code
	}
	return out
}

// Valid tells whether the code is on the closed list.
func (c Code) Valid() bool {
	return slices.ContainsFunc(codeRules, func(r codeRule) bool { return r.code == c })
}

// Retryable tells whether the same call may succeed later without anybody doing anything.
func (c Code) Retryable() bool { return c.rule().retryable }

// OK tells whether the code reports the wanted state.
func (c Code) OK() bool { return c == CodeOK || c == CodeAlreadyInForce }

func (c Code) rule() codeRule {
	for _, r := range codeRules {
		if r.code == c {
			return r
		}
	}
	if c == "" { // a cancellation has no code, and must not speak for what failed beside it
		return codeRule{rank: -1}
	}
	return codeRule{code: c, rank: 100}
}

// worse gives that of two codes which a person must hear about first.
func worse(a, b Code) Code {
	if b.rule().rank > a.rule().rank {
		return b
	}
	return a
}
