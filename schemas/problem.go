package schemas

import "time"

// Problem is an error as HTTP tells it (RFC 9457, application/problem+json).
type Problem struct {
	Type   string       `json:"type"`             // urn:resetd:problem:<name>, stable
	Title  string       `json:"title"`            // the same for every problem of the type
	Status int          `json:"status"`           // the HTTP status
	Detail string       `json:"detail,omitempty"` // what happened, where, and what to do next
	Errors []FieldError `json:"errors,omitempty"` // one for each bad field
	// RetryAfter becomes the Retry-After header, in whole seconds; zero leaves it out.
	RetryAfter time.Duration `json:"-"`
}

// FieldError names one bad field and says what is wrong with it: a field of the body by Pointer, a query parameter or a
// header by Parameter. Both are empty where the body as a whole is meant.
type FieldError struct {
	Pointer   string `json:"pointer,omitempty"`   // RFC 6901
	Parameter string `json:"parameter,omitempty"` // the name as it was sent: status, Idempotency-Key
	Detail    string `json:"detail"`
}

// ProblemContentType is the media type of a Problem.
const ProblemContentType = "application/problem+json"

// NewProblem makes a problem of the given name, for example bad_signature.
func NewProblem(status int, name, title, detail string, fields ...FieldError) *Problem {
	return &Problem{Type: "urn:resetd:problem:" + name, Title: title, Status: status, Detail: detail, Errors: fields}
}

// Error gives title and detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}
