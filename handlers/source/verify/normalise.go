package verify

import (
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/schemas"
)

// The bounds of what a security event token reports. Several events in one token are other names of the same event.
const (
	maxEvents    = 32
	maxEventName = 512
)

// uriForm finds the scheme of a URI with something behind it (RFC 3986 §3.1).
var uriForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:.`)

// event is one entry of the claim events, in the order in which they were written.
type event struct {
	name string
	raw  jsontext.Value
	body claimSet
}

// parseEvents reads the claim events (RFC 8417 §2.2): an object whose names are URIs and whose values are objects.
func parseEvents(c claimSet) ([]event, error) {
	malformed := refuse(ReasonMalformedToken, "the token's events are no object of 1 to %d URIs, each with an object (RFC 8417 §2.2)", maxEvents)
	if c["events"].Kind() != '{' {
		return nil, malformed
	}
	var all []event
	d := jsontext.NewDecoder(strings.NewReader(string(c["events"])))
	if _, err := d.ReadToken(); err != nil {
		return nil, malformed
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, malformed
		}
		e := event{name: name.String()}
		raw, err := d.ReadValue()
		if err != nil || raw.Kind() != '{' || len(all) == maxEvents || !uriForm.MatchString(e.name) || schemas.CheckText(e.name, maxEventName, false) != nil {
			return nil, malformed
		}
		e.raw = raw.Clone()
		if e.body, err = parseClaims(e.raw); err != nil {
			return nil, malformed
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, malformed
	}
	return all, nil
}

// normalSET is what NormaliseSET gives.
type normalSET struct {
	Issuer      string         `json:"iss"`
	ID          string         `json:"jti"`
	IssuedAt    jsontext.Value `json:"iat,omitzero"`
	Audience    []string       `json:"aud"`
	Transaction string         `json:"txn,omitempty"`
	SubjectID   jsontext.Value `json:"sub_id,omitzero"`
	Events      []normalEvent  `json:"events"`
}

type normalEvent struct {
	Type      string           `json:"type"`
	Name      string           `json:"name"`
	Subject   claimSet         `json:"subject,omitempty"`
	Complex   jsontext.Value   `json:"complex,omitzero"`
	Account   *schemas.Account `json:"account,omitempty"`
	NoAccount string           `json:"no_account,omitempty"`
	Event     jsontext.Value   `json:"event"`
	Timestamp string           `json:"event_timestamp,omitempty"`
}

// NormaliseSET turns the claims of a security event token into one form, whatever draft its transmitter follows:
//
//	{"iss": …, "jti": …, "iat": …, "aud": […], "txn": …, "sub_id": …, "events": [{
//	  "type": "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
//	  "name": "caep/session-revoked",
//	  "subject": {"format": "email", "email": "jdoe@example.com"},
//	  "complex": {…},
//	  "account": {"type": "email", "value": "jdoe@example.com"},
//	  "no_account": "why there is no account",
//	  "event": {…},
//	  "event_timestamp": "2026-11-22T07:00:00Z"}]}
//
// The name is short for the event types of OpenID (caep, risc, ssf, oauth; sse is an older name of ssf) and Okta (okta), and
// the type itself for others. The subject is that of the token (sub_id, or sub) or, in older drafts, of the event, with its
// format by today's name; of a complex subject it is the user, and complex is the whole, as it was received. The account is
// there if it can be told for certain, and no_account otherwise. The event is as it was received; event_timestamp is the
// time at which it happened, by the event in seconds or milliseconds, or by the claim toe. What is not there is left out.
//
// The error is an *Error with ReasonMalformedToken.
func NormaliseSET(claims []byte) ([]byte, error) {
	c, err := parseClaims(claims)
	if err != nil {
		return nil, err
	}
	out := normalSET{SubjectID: c["sub_id"]}
	if c.has("iat") {
		out.IssuedAt = c["iat"]
	}
	if _, err = c.time("iat"); err != nil {
		return nil, err
	}
	if out.Issuer, err = c.text("iss"); err != nil {
		return nil, err
	}
	if out.ID, err = c.text("jti"); err != nil {
		return nil, err
	}
	if out.Audience, err = c.list("aud"); err != nil {
		return nil, err
	}
	if out.Transaction, err = c.text("txn"); err != nil {
		return nil, err
	}
	happened, err := c.time("toe")
	if err != nil {
		return nil, err
	}
	events, err := parseEvents(c)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		n := normalEvent{Type: e.name, Name: shortName(e.name), Event: e.raw, Timestamp: eventTime(e.body["event_timestamp"], happened)}
		s := subjectOf(c, e.body, out.Issuer)
		n.Subject, n.Complex = s.members, s.complex
		if s.account.Value != "" {
			n.Account = &s.account
		} else {
			n.NoAccount = s.why
		}
		out.Events = append(out.Events, n)
	}
	text, err := json.Marshal(out, json.Deterministic(true))
	if err != nil { // what was read as JSON can be written as JSON
		return nil, refuse(ReasonMalformedToken, "the token's claims cannot be written as JSON")
	}
	return text, nil
}

// The event types that have a short name.
var eventTypes = regexp.MustCompile(`^https://schemas\.(?:openid\.net/secevent/(caep|risc|ssf|sse|oauth)|okta\.com/secevent/(okta))/event-type/([a-z0-9-]+)$`)

// shortName gives caep/session-revoked and the like; the type itself if it is of nobody who is known here.
func shortName(uri string) string {
	m := eventTypes.FindStringSubmatch(uri)
	if m == nil {
		return uri
	}
	family := m[1] + m[2]
	if family == "sse" {
		family = "ssf"
	}
	return family + "/" + m[3]
}

// firstMilli is the least number that counts milliseconds: as seconds it lies in the year 5138, as milliseconds in 1973.
const firstMilli = 100_000_000_000

// eventTime gives a time in RFC 3339, or nothing if there is none. Zero is mostly a time that was never set.
func eventTime(raw jsontext.Value, otherwise time.Time) string {
	t := otherwise
	if raw != nil && raw.Kind() == '0' {
		at, ok := numericDate(raw, 1000)
		if at.Unix() < firstMilli/1000 {
			at, ok = numericDate(raw, 1)
		}
		if ok && at.Unix() > 0 {
			t = at
		}
	}
	if t.Unix() <= 0 {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
