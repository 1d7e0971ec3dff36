package mapping

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/resetd/resetd/schemas"
)

// The bounds of a body, and of JSON text inside of it.
const (
	maxBody       = 256 << 10
	maxDepth      = 64
	maxContainers = 20_000 // objects and lists; a map is some 350 bytes, however little it holds
)

var (
	errTooDeep = errors.New("it is nested too deeply")
	errTooMany = errors.New("it holds too many objects and lists")
)

// Decode reads one JSON value as paths and expressions see it: nil, bool, string, int64, uint64, float64, []any and
// map[string]any. Numbers are exact: one that neither an integer of 64 bits nor a double holds exactly is kept as its
// text. It is as strict as schemas.Decode: a key that occurs twice, bytes that are not UTF-8 and anything behind the value
// are refused with 400, and so is what is nested deeper than 64 or holds more than 20,000 objects and lists. The problem
// points at the place.
func Decode(body []byte) (any, *schemas.Problem) {
	if len(body) > maxBody {
		return nil, schemas.NewProblem(413, "body_too_large", "The body is too large",
			"At most 256 KiB (262144 bytes) are taken; split a batch into several deliveries, each with an id of its own.")
	}
	v, at, err := decode(body)
	if err == nil {
		return v, nil
	}
	detail := "this is not valid JSON"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		detail = "this key occurs twice; send it once"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		detail = "the JSON ends too early"
	case errors.Is(err, errTooDeep):
		detail = "this is nested deeper than 64 levels"
	case errors.Is(err, errTooMany):
		detail = "the body holds more than 20000 objects and lists; split it into several deliveries"
	}
	return nil, schemas.NewProblem(400, "bad_json", "The body is not valid JSON",
		"Send one JSON value in UTF-8, in which no key occurs twice.", schemas.FieldError{Pointer: at, Detail: detail})
}

// decode gives the value, or the error and a pointer to its place.
func decode(text []byte) (v any, at string, err error) {
	d := decoder{Decoder: jsontext.NewDecoder(bytes.NewReader(text))}
	if v, err = d.value(0); err == nil {
		if _, err = d.ReadToken(); err == io.EOF {
			return v, "", nil
		}
		if err == nil {
			err = errors.New("there is something behind the value")
		}
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return nil, string(s.JSONPointer), err
	}
	return nil, string(d.StackPointer()), err
}

type decoder struct {
	*jsontext.Decoder
	containers int
}

func (d *decoder) value(depth int) (any, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return tok.Bool(), nil
	case '"':
		return tok.String(), nil
	case '0':
		return number(tok.String()), nil
	}
	if d.containers++; d.containers > maxContainers {
		return nil, errTooMany
	}
	if depth == maxDepth {
		return nil, errTooDeep
	}
	if tok.Kind() == '[' {
		list := []any{}
		for d.PeekKind() != ']' {
			v, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.ReadToken()
		return list, err
	}
	object := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // before the token's memory is used again
		if object[key], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err = d.ReadToken()
	return object, err
}
