package schemas

import (
	"errors"
	"io"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads one JSON value strictly: duplicate keys, unknown fields, other letter case, invalid UTF-8 and anything
// after the value are refused (RFC 8259 leaves the meaning of duplicates open, and two readers of one signed body must
// not see two accounts). The problem points at the place.
func Decode(body []byte, into any) *Problem {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	const title = "The body is not a valid request"
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		detail := "this is not valid JSON"
		switch {
		case errors.Is(s.Err, jsontext.ErrDuplicateName):
			detail = "this key occurs twice; send it once"
		case errors.Is(err, io.ErrUnexpectedEOF):
			detail = "the JSON ends too early"
		}
		return NewProblem(400, "bad_json", title, "Send one JSON object as the documentation at /openapi.yaml shows.",
			FieldError{Pointer: string(s.JSONPointer), Detail: detail})
	}
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		detail := "this has the wrong type"
		if s.GoType == reflect.TypeFor[time.Time]() {
			detail = "this must be a time such as 2026-11-22T07:00:00Z (RFC 3339)"
		}
		switch {
		case errors.Is(s.Err, json.ErrUnknownName):
			detail = "this field is unknown; check its spelling or leave it out"
		case errors.Is(s.Err, ErrAccount):
			detail = s.Err.Error()
		}
		return NewProblem(422, "invalid_request", title, "Correct the fields that are named and send it again.",
			FieldError{Pointer: string(s.JSONPointer), Detail: detail})
	}
	return NewProblem(400, "bad_json", title, "Send one JSON object as the documentation at /openapi.yaml shows.",
		FieldError{Detail: "this is not valid JSON"})
}

// Encode writes a value as compact JSON. Bytes that are not UTF-8, which a detail may hold that quotes some system, become
// U+FFFD. It can fail only for a time outside the years 0 to 9999, which RFC 3339 cannot say.
func Encode(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}
