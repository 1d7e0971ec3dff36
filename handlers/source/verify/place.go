package verify

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/resetd/resetd/schemas/signature"
)

// place is where a shared secret stands in a delivery, and what it must be. It is looked for there and nowhere else.
type place struct {
	in      string // one of places
	header  string // canonical, for header
	who     string // the user name, for basic
	user    digests
	secrets digests
}

// check tells whether the delivery has one of the secrets in its place.
func (p *place) check(d *Delivery) error {
	switch p.in {
	case "header":
		value, err := single(d.Header, p.header)
		if err != nil {
			return err
		}
		return p.judge(p.secrets(value))
	case "bearer":
		token, err := bearer(d.Header)
		if err != nil {
			return err
		}
		return p.judge(p.secrets(token))
	case "basic":
		user, password, err := basic(d.Header)
		if err != nil {
			return err
		}
		// Both are compared whatever comes of the first.
		return p.judge(p.user(user) & p.secrets(password))
	case "url":
		if d.Token == "" {
			return refuse(ReasonMissingToken, "the URL has no secret behind the source's name; write …/v1/hooks/NAME/SECRET at the sender")
		}
		return p.judge(p.secrets(d.Token))
	}
	return refuse(ReasonMissingToken, "no place is configured where the secret stands")
}

// judge turns the result of a comparison into an error.
func (p *place) judge(found int) error {
	if found == 1 {
		return nil
	}
	what := "the secret is not one of those that are configured"
	if p.in == "basic" {
		what = "the user name or the password is not one that is configured"
	}
	return refuse(ReasonWrongSecret, "%s; compare both sides, and look for a line break or a prefix that was copied with it", what)
}

// single gives the value of a header that must be there exactly once. Of two, another program on the way may have looked
// at the other one.
func single(h http.Header, canonical string) (string, error) {
	values := h[canonical]
	switch {
	case len(values) > 1:
		return "", refuse(Reason(signature.ReasonDoubledHeader), "%s came %d times; send it once, and look for a proxy that adds it", canonical, len(values))
	case len(values) == 0 || values[0] == "":
		return "", refuse(ReasonMissingToken, "the header %s is missing or empty; let the sender send it, and proxies pass it on", canonical)
	}
	return values[0], nil
}

// bearer gives the token of the Authorization header (RFC 6750 §2.1).
func bearer(h http.Header) (string, error) {
	token, ok, err := authorization(h, "Bearer")
	if err != nil {
		return "", err
	}
	if !ok {
		return "", refuse(ReasonMissingToken, "Authorization does not begin with Bearer and hold a token behind it; send Authorization: Bearer TOKEN")
	}
	return token, nil
}

// basic gives user and password of the Authorization header (RFC 7617 §2).
func basic(h http.Header) (user, password string, err error) {
	encoded, ok, err := authorization(h, "Basic")
	if err != nil {
		return "", "", err
	}
	if ok {
		var raw []byte
		if raw, err = base64.StdEncoding.Strict().DecodeString(encoded); err == nil && !strings.ContainsAny(encoded, "\r\n") {
			if user, password, ok = strings.Cut(string(raw), ":"); ok {
				return user, password, nil
			}
		}
	}
	return "", "", refuse(ReasonMissingToken, "Authorization does not hold Basic and the base64 of user:password; send it by RFC 7617")
}

// authorization gives what stands behind the scheme of the Authorization header, whose name's case does not matter.
func authorization(h http.Header, scheme string) (rest string, ok bool, err error) {
	value, err := single(h, "Authorization")
	if err != nil {
		return "", false, err
	}
	name, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimLeft(rest, " ")
	return rest, strings.EqualFold(name, scheme) && rest != "", nil
}
