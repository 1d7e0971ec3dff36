package signature

import "fmt"

// Reason says why something was refused. The list is closed, so a reason can
// serve as a metric label and can be told to a sender. A Reason is an error
// itself: errors.Is(err, ReasonTooOld) holds for every [Error] with that reason.
type Reason string

// The reasons with which [Verifier.Verify] and [TemplateVerifier.Verify] refuse a
// delivery.
const (
	// ReasonMissingHeader: one of the headers that count is absent or empty.
	ReasonMissingHeader Reason = "missing_header"
	// ReasonDoubledHeader: one of the headers that count came more than once, and
	// another program on the way may have read the other value.
	ReasonDoubledHeader Reason = "doubled_header"
	// ReasonMalformedID: the id is not 1 to 128 of A-Z a-z 0-9 _ -.
	ReasonMalformedID Reason = "malformed_id"
	// ReasonMalformedTimestamp: not a canonical number of Unix seconds, or not the
	// one time in the form that the template asks for.
	ReasonMalformedTimestamp Reason = "malformed_timestamp"
	// ReasonTooOld: the timestamp lies before the tolerated time.
	ReasonTooOld Reason = "too_old"
	// ReasonTooNew: the timestamp lies after the tolerated time.
	ReasonTooNew Reason = "too_new"
	// ReasonMalformedSignature: the signature header cannot be read exactly.
	ReasonMalformedSignature Reason = "malformed_signature"
	// ReasonTooManySignatures: more than [MaxSignatures] in one header.
	ReasonTooManySignatures Reason = "too_many_signatures"
	// ReasonMalformedRequest: a header that a template signs, the method or the path
	// cannot be read exactly.
	ReasonMalformedRequest Reason = "malformed_request"
	// ReasonNoMatch: everything is well formed, and no key made a signature.
	ReasonNoMatch Reason = "no_match"
)

// The reasons that concern our own side: keys and settings, never a delivery.
const (
	// ReasonMalformedKey: a text is not a key; see [ParseKey] and
	// [NewTemplateVerifier].
	ReasonMalformedKey Reason = "malformed_key"
	// ReasonUnusableKeys: no key, too many keys, a key that everybody knows, or one
	// that cannot do what is asked, such as signing with a public key.
	ReasonUnusableKeys Reason = "unusable_keys"
	// ReasonBadOption: a field of [Options] or [TemplateOptions] is out of range.
	ReasonBadOption Reason = "bad_option"
	// ReasonBadTemplate: a field of a [Template] is wrong; see [Template.Check].
	ReasonBadTemplate Reason = "bad_template"
)

// VerifyReasons returns every reason with which [Verifier.Verify] or
// [TemplateVerifier.Verify] can refuse a delivery, so that counters can start at
// zero.
func VerifyReasons() []Reason {
	return []Reason{
		ReasonMissingHeader, ReasonDoubledHeader, ReasonMalformedID, ReasonMalformedTimestamp,
		ReasonTooOld, ReasonTooNew, ReasonMalformedSignature, ReasonTooManySignatures,
		ReasonMalformedRequest, ReasonNoMatch,
	}
}

// Error returns the reason as it is written on the wire.
func (r Reason) Error() string { return string(r) }

// Error is the only error type of this package.
type Error struct {
	// Reason is the class of the error.
	Reason Reason
	// Detail says in one sentence what was found and what to do next. It holds
	// no part of a key, a signature or a body, and quotes no header value, so it
	// can be logged and sent back.
	Detail string
}

// Error returns the package, the reason and the detail.
func (e *Error) Error() string { return "signature: " + string(e.Reason) + ": " + e.Detail }

// Unwrap returns the reason, for errors.Is.
func (e *Error) Unwrap() error { return e.Reason }

// refuse builds an Error. Its arguments must be numbers and names of ours, never
// text that came from outside.
func refuse(reason Reason, format string, args ...any) error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
