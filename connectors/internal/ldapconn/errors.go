package ldapconn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// Meaning is what a result code says, and what to do about it.
type Meaning struct {
	Code   schemas.Code
	Advice string
}

// Answer gives the result code of an error that the server sent. Codes from 200 on are go-ldap's own.
func Answer(err error) (code uint16, ok bool) {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.ResultCode >= ldap.ErrorNetwork {
		return 0, false
	}
	return e.ResultCode, true
}

// Hushed gives an answer without secrets that were part of the request, because servers quote what they were sent. The
// secrets go before anything is cut or cleaned, which could leave a part of one, and so does the packet that go-ldap keeps.
func Hushed(err error, secrets ...schemas.Secret) error {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		return err
	}
	text := ""
	if e.Err != nil {
		text = connectors.Redact(e.Err.Error(), secrets...)
	}
	return &ldap.Error{Err: errors.New(text), ResultCode: e.ResultCode}
}

// Failure makes a Failure of an exchange that changes nothing.
func (s *Session[R]) Failure(ctx context.Context, doing string, err error) *schemas.Failure {
	code, answered := Answer(err)
	if !answered {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return schemas.Fail(schemas.CodeTimedOut, "%s at %s: %s", doing, s.Server.URL, Reason(err)).Because(err)
		}
		return schemas.Fail(schemas.CodeUnavailable, "%s at %s: the connection broke (%s)", doing, s.Server.URL, Reason(err)).Because(err)
	}
	m, known := s.dialer.product.Meanings[code]
	if pick := s.dialer.product.Pick; pick != nil {
		if finer, ok := pick(err); ok {
			m, known = finer, true
		}
	}
	if !known {
		return schemas.Fail(schemas.CodeUnexpected, "%s at %s: %s", doing, s.Server.URL, Reason(err)).Because(err)
	}
	return schemas.Fail(m.Code, "%s at %s: %s; %s", doing, s.Server.URL, Reason(err), m.Advice).Because(err)
}

// Lost makes a Failure of a change that had no answer: it may have been made. An answer goes to Failure.
func (s *Session[R]) Lost(ctx context.Context, doing string, err error) *schemas.Failure {
	f := s.Failure(ctx, doing, err)
	if _, answered := Answer(err); !answered {
		f.Code = schemas.CodeTimedOut
		f.Detail += "; whether it was done is not known"
	}
	return f
}

// Reason gives the short text of an error: what the server said, or what the network did, without go-ldap's frame.
func Reason(err error) string {
	// Why we hung up says more than what that looked like on the connection.
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "given up before there was an answer"
	}
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		return Printable(err.Error())
	}
	text := Printable(e.Err.Error())
	if e.ResultCode >= ldap.ErrorNetwork {
		return text
	}
	out := fmt.Sprintf("LDAP code %d", e.ResultCode)
	if name := ldap.LDAPResultCodeMap[e.ResultCode]; name != "" {
		out += ", " + name
	}
	if text != "" {
		out += ": " + text
	}
	return out
}

// Printable makes text of another machine fit for a line of a log: no control characters, at most 200 characters.
func Printable(text string) string {
	out := make([]rune, 0, 200)
	for _, r := range text {
		if len(out) == 200 {
			return string(out) + "…"
		}
		if schemas.CheckText(string(r), 4, false) != nil {
			r = ' '
		}
		out = append(out, r)
	}
	return strings.TrimSpace(string(out))
}
