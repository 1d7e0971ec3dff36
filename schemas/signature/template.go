package signature

// Template describes a sender's HMAC: where the signature and the time stand, and what is signed. It covers the native
// signatures of GitHub, Jira, PagerDuty, Slack, Zendesk, Grafana, GitGuardian, CrowdStrike, Teams, Rapid7, Stripe and
// others; [NewTemplateVerifier] says what each field means when it is empty.
type Template struct {
	Algorithm       string   `yaml:"algorithm" validate:"omitempty,oneof=sha256 sha512 sha1"`          // sha256
	SignatureHeader string   `yaml:"signature_header" validate:"max=128"`                              // required
	SignaturePrefix string   `yaml:"signature_prefix" validate:"max=32"`                               // what stands before each signature, such as sha256=
	SignatureList   string   `yaml:"signature_list" validate:"max=2"`                                  // the separator of several signatures: "," or " "
	Pick            string   `yaml:"pick" validate:"max=200"`                                          // a regular expression (RE2) whose one group is the signature, such as v1=([^,]+)
	Encoding        string   `yaml:"encoding" validate:"omitempty,oneof=hex base64 base64url"`         // hex
	KeyFormat       string   `yaml:"key_format" validate:"omitempty,oneof=raw base64 base64url hex"`   // raw
	KeyTemplate     string   `yaml:"key_template" validate:"max=200"`                                  // {secret}
	ContentTemplate string   `yaml:"content_template" validate:"max=500"`                              // {body}; tokens {body} {timestamp} {id} {method} {path} {header:X}
	TimestampHeader string   `yaml:"timestamp_header" validate:"max=128"`                              // where the time stands, or
	TimestampPick   string   `yaml:"timestamp_pick" validate:"max=200"`                                // a regular expression with one group on the signature header, such as t=([0-9]+)
	TimestampFormat string   `yaml:"timestamp_format" validate:"omitempty,oneof=unix unix_ms rfc3339"` // unix
	IDHeader        string   `yaml:"id_header" validate:"max=128"`                                     // the id of the delivery; it counts only if content_template has {id}
	RequiredHeaders []string `yaml:"required_headers" validate:"max=8,unique"`
	MinKeyBytes     int      `yaml:"min_key_bytes" validate:"omitempty,min=1,max=128"` // 16
}
