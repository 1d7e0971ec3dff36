package signature

import (
	"errors"
	"strings"
)

// Template describes a sender's HMAC: where the signature and the time stand, and what is signed. It covers the native
// signatures of GitHub, Jira, PagerDuty, Slack, Zendesk, Grafana, GitGuardian, CrowdStrike, Teams, Rapid7, Stripe and
// others. An empty field means what its comment begins with; [Template.Check] tells everything that is wrong.
//
// The signature header is one entry, or a list of them. The entries are divided by SignatureList; without it by a comma
// if there is a Pick or a TimestampPick, and not at all otherwise. Both regular expressions are matched against each
// entry as a whole. An entry of a list that is no signature and no time is left out: it may be that of another version.
type Template struct {
	Algorithm       string   `yaml:"algorithm"`        // sha256; sha1 only if it is written here
	SignatureHeader string   `yaml:"signature_header"` // required
	SignaturePrefix string   `yaml:"signature_prefix"` // nothing; what stands before each signature, such as sha256=
	SignatureList   string   `yaml:"signature_list"`   // no list; the separator of several signatures: "," ", " ";" or " "
	Pick            string   `yaml:"pick"`             // nothing; a regular expression (RE2) whose one group is the signature, such as v1=(.+), in place of a prefix
	Encoding        string   `yaml:"encoding"`         // hex, in one case; base64 is padded, base64url may be
	KeyFormat       string   `yaml:"key_format"`       // raw: the text is the key
	KeyTemplate     string   `yaml:"key_template"`     // {secret}; tokens {secret} {timestamp}
	ContentTemplate string   `yaml:"content_template"` // {body}; tokens {body} {timestamp} {id} {method} {path} {header:X}
	TimestampHeader string   `yaml:"timestamp_header"` // none; where the time stands, or
	TimestampPick   string   `yaml:"timestamp_pick"`   // none; a regular expression with one group on the signature header, such as t=(.+)
	TimestampFormat string   `yaml:"timestamp_format"` // unix: 10 digits; unix_ms: 13; rfc3339: with its zone
	IDHeader        string   `yaml:"id_header"`        // none; the id of the delivery: it counts only if content_template has {id}
	RequiredHeaders []string `yaml:"required_headers"` // none; headers that must be there once, signed or not
	MinKeyBytes     int      `yaml:"min_key_bytes"`    // 16; of the key after decoding
}

// SignsTime reports whether the signature covers the time of the delivery. If it does not, a delivery that somebody has
// seen verifies for ever.
func (t Template) SignsTime() bool {
	return strings.Contains(t.ContentTemplate, "{timestamp}") || strings.Contains(t.KeyTemplate, "{timestamp}")
}

// SignsID reports whether the signature covers the id of the delivery. If it does not, the id is whatever the last one
// who touched the delivery wrote, and serves as no idempotency key.
func (t Template) SignsID() bool { return strings.Contains(t.ContentTemplate, "{id}") }

// Check returns nil if the template can verify something, else one [*Error] with [ReasonBadTemplate] for each fault,
// joined, that begins with the name of the field in YAML. It refuses what proves less than it seems to:
//
//   - a body that is not signed;
//   - a time that is read and not signed, since whoever replays a delivery writes it anew;
//   - parts of the signed text that could be cut in two ways. The times have forms that no other text of the same form
//     begins or ends with, so they may touch the body. An id, a header, the method or the path needs a literal between
//     itself and the body; its value must then not hold the byte of the literal that it touches.
func (t Template) Check() error {
	_, faults := compile(t)
	return errors.Join(faults...)
}
