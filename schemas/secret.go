package schemas

import (
	"fmt"
	"io"
)

// Redacted is what a Secret shows of itself.
const Redacted = "[redacted]"

// Secret holds a value that must not be shown by accident. It has one pointer and nothing else, because fmt prints the
// raw text of a string type for a wrong verb, and of any type that sits under an unexported field.
type Secret struct{ text *string }

// NewSecret wraps a text.
func NewSecret(s string) Secret { return Secret{&s} }

// Reveal gives the text. Whoever calls it is responsible for where it goes.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty tells whether there is no text.
func (s Secret) Empty() bool { return s.text == nil || *s.text == "" }

// Format shows Redacted for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// String shows Redacted.
func (s Secret) String() string { return Redacted }

// MarshalText writes Redacted, so that no encoder can leak the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = NewSecret(string(b))
	return nil
}
