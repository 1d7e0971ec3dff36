package source

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// reader gives the JSON that is to be mapped out of a verified body.
type reader func(body []byte) ([]byte, *schemas.Problem)

// The media types that are taken where a source names none.
const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
	mediaSET  = "application/secevent+jwt" // RFC 8417 §2.3
)

// newReader gives the reader for a form of body. The claims of a security event token are read in the one form that
// verify.NormaliseSET gives to those of all transmitters.
func newReader(r sender.Read, scheme string) reader {
	if scheme == schemeSET {
		return readSET
	}
	if r.As != "form" {
		return func(body []byte) ([]byte, *schemas.Problem) { return body, nil }
	}
	field := r.Field
	if field == "" {
		field = "payload"
	}
	return func(body []byte) ([]byte, *schemas.Problem) { return formField(body, field) }
}

// readSET gives the claims of a security event token in one form.
func readSET(claims []byte) ([]byte, *schemas.Problem) {
	normal, err := verify.NormaliseSET(claims)
	if err != nil {
		detail := "its claims cannot be read"
		if e, ok := errors.AsType[*verify.Error](err); ok {
			detail = e.Detail
		}
		return nil, schemas.NewProblem(http.StatusBadRequest, "bad_token", "The claims are not those of a security event token",
			"Let the transmitter follow RFC 8417.", schemas.FieldError{Detail: detail})
	}
	return normal, nil
}

// preview reads a security event token as it is sent too, whoever signed it.
func preview(read reader, scheme string) reader {
	if scheme != schemeSET {
		return read
	}
	return func(body []byte) ([]byte, *schemas.Problem) {
		if parts := bytes.Split(bytes.TrimSpace(body), []byte(".")); len(parts) == 3 && !bytes.HasPrefix(parts[0], []byte("{")) {
			if claims, err := base64.RawURLEncoding.DecodeString(string(parts[1])); err == nil {
				body = claims
			}
		}
		return read(body)
	}
}

// formField gives the one value of a field of a form. A field that came twice could be read in two ways.
func formField(body []byte, field string) ([]byte, *schemas.Problem) {
	bad := func(detail string) ([]byte, *schemas.Problem) {
		return nil, schemas.NewProblem(http.StatusBadRequest, "bad_form", "The body is not the form that is expected",
			"This source takes "+mediaForm+" with JSON in the field "+field+".", schemas.FieldError{Detail: detail})
	}
	values, err := url.ParseQuery(string(bytes.TrimSpace(body)))
	switch got := values[field]; {
	case err != nil:
		return bad("this is not form-encoded")
	case len(got) == 0:
		return bad("the field " + field + " is missing")
	case len(got) > 1:
		return bad("the field " + field + " came more than once")
	default:
		return []byte(got[0]), nil
	}
}

// Media gives the media types that the source takes, in lower case; a delivery without a media type is taken as well.
func (s *Source) Media() []string { return s.media }

// mediaOf settles the media types of a source.
func mediaOf(r sender.Read, scheme string) (types []string, bad []*Fault) {
	for i, text := range r.Types {
		media, params, err := mime.ParseMediaType(text)
		if err != nil || len(params) > 0 || !strings.Contains(media, "/") {
			bad = append(bad, &Fault{Path: fmt.Sprintf("read.types[%d]", i), Text: "this is no media type; write one such as application/json, without parameters (UTF-8 is what counts)"})
		}
		types = append(types, media)
	}
	switch {
	case len(types) > 0:
		return types, bad
	case scheme == schemeSET:
		return []string{mediaSET}, nil
	case r.As == "form":
		return []string{mediaForm}, nil
	}
	return []string{mediaJSON}, nil
}
