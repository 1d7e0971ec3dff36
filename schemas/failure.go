package schemas

import (
	"errors"
	"fmt"
	"time"
)

// Failure is the error by which a connector says what happened. Detail is for a person: what, where, and what to do
// next. It must never hold a password, token or secret.
type Failure struct {
	Code   Code
	Detail string
	// RetryAfter is how long the system asked us to wait; zero when it did not say.
	RetryAfter time.Duration
	// Cause is the error underneath, for errors.Is and errors.As; it is not shown to callers.
	Cause error
}

// Fail makes a Failure with a formatted detail.
func Fail(code Code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Because sets the cause and returns the same failure.
func (f *Failure) Because(err error) *Failure {
	f.Cause = err
	return f
}

// Error gives the code and the detail, without the cause: a cause may quote what must not be shown.
func (f *Failure) Error() string { return string(f.Code) + ": " + f.Detail }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// CodeOf gives the code of an error: ok for nil, that of the Failure in its chain, and unexpected for all else.
func CodeOf(err error) Code {
	if err == nil {
		return CodeOK
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Code
	}
	return CodeUnexpected
}
