package sender

// HMAC is the template of a sender's own signature; what an empty field means is told by signature.Template, into which it
// is converted.
type HMAC struct {
	Algorithm       string   `yaml:"algorithm" validate:"omitempty,oneof=sha256 sha512 sha1"`
	SignatureHeader string   `yaml:"signature_header" validate:"max=128"`
	SignaturePrefix string   `yaml:"signature_prefix" validate:"max=32"`
	SignatureList   string   `yaml:"signature_list" validate:"max=2"`
	Pick            string   `yaml:"pick" validate:"max=200"`
	Encoding        string   `yaml:"encoding" validate:"omitempty,oneof=hex base64 base64url"`
	KeyFormat       string   `yaml:"key_format" validate:"omitempty,oneof=raw base64 base64url hex"`
	KeyTemplate     string   `yaml:"key_template" validate:"max=200"`
	ContentTemplate string   `yaml:"content_template" validate:"max=500"`
	TimestampHeader string   `yaml:"timestamp_header" validate:"max=128"`
	TimestampPick   string   `yaml:"timestamp_pick" validate:"max=200"`
	TimestampFormat string   `yaml:"timestamp_format" validate:"omitempty,oneof=unix unix_ms rfc3339"`
	IDHeader        string   `yaml:"id_header" validate:"max=128"`
	RequiredHeaders []string `yaml:"required_headers" validate:"max=8,unique"`
	MinKeyBytes     int      `yaml:"min_key_bytes" validate:"omitempty,min=1,max=128"`
}
