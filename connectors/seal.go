package connectors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"

	"github.com/resetd/resetd/schemas"
)

// Sealer encrypts passwords to people who hand them out, in the format of age (https://age-encryption.org/v1). Each of
// them can open every password, and resetd itself none.
type Sealer struct{ to []age.Recipient }

// NewSealer reads the recipients: age public keys (age1…), or SSH public keys (ssh-ed25519 …, ssh-rsa …) as they stand in
// authorized_keys. Its errors, one for each that cannot be used, say which by its place from 0 on: *RecipientError.
func NewSealer(recipients []string) (*Sealer, error) {
	var bad []error
	s := &Sealer{}
	for i, text := range recipients {
		text = strings.TrimSpace(text)
		var r []age.Recipient
		var err error
		switch {
		case strings.HasPrefix(text, "AGE-SECRET-KEY-"):
			err = errors.New("this is a secret key, which belongs to the help desk alone; write the public key that age-keygen -y shows for it")
		case strings.HasPrefix(text, "age1"):
			r, err = age.ParseRecipients(strings.NewReader(text))
		case strings.HasPrefix(text, "ssh-"):
			var one age.Recipient
			one, err = agessh.ParseRecipient(text)
			r = []age.Recipient{one}
		default:
			err = errors.New("a recipient is an age public key (age1…) or an SSH public key (ssh-ed25519 …)")
		}
		if err != nil {
			bad = append(bad, &RecipientError{Index: i, Err: err})
			continue
		}
		s.to = append(s.to, r...)
	}
	switch {
	case len(bad) > 0:
		return nil, errors.Join(bad...)
	case len(s.to) == 0:
		return nil, errors.New("no recipient is named")
	}
	// Some recipients cannot be mixed, which shows only in use: those with a key that withstands quantum computers with others.
	if _, err := s.Seal(NewPassword(0, 0)); err != nil {
		return nil, fmt.Errorf("the recipients cannot be used together: %w", err)
	}
	return s, nil
}

// RecipientError is a recipient that cannot be used.
type RecipientError struct {
	Index int // its place in the list, from 0
	Err   error
}

// Error gives the place and the reason.
func (e *RecipientError) Error() string { return fmt.Sprintf("recipient %d: %s", e.Index+1, e.Err) }

// Unwrap gives the reason.
func (e *RecipientError) Unwrap() error { return e.Err }

// Seal encrypts a password. The text is armoured (-----BEGIN AGE ENCRYPTED FILE-----), and what `age -d` makes of it is the
// password and nothing else.
func (s *Sealer) Seal(password schemas.Secret) (string, error) {
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, s.to...)
	if err != nil {
		return "", fmt.Errorf("encrypt for delivery: %w", err)
	}
	if _, err := io.WriteString(w, password.Reveal()); err != nil {
		return "", fmt.Errorf("encrypt for delivery: %w", err)
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		return "", fmt.Errorf("encrypt for delivery: %w", err)
	}
	return out.String(), nil
}
