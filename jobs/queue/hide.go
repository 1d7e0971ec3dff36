package queue

import (
	"errors"
	"net/url"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// redactor takes passwords out of texts that we did not write. None is known to hold one; this is the net below.
type redactor struct{ replace *strings.Replacer }

// hide makes a redactor of the secrets, which it also knows in their percent-encoded forms.
func hide(secrets ...schemas.Secret) *redactor {
	var pairs []string
	for _, s := range secrets {
		if s.Empty() {
			continue
		}
		text := s.Reveal()
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text)} {
			pairs = append(pairs, form, schemas.Redacted)
		}
	}
	return &redactor{strings.NewReplacer(pairs...)}
}

func (r *redactor) text(s string) string { return r.replace.Replace(s) }

// error gives the error as it is, or, if its text holds a secret, a new one that keeps nothing but the cleaned text.
func (r *redactor) error(err error) error {
	if err == nil {
		return nil
	}
	if clean := r.text(err.Error()); clean != err.Error() {
		return errors.New(clean)
	}
	return err
}
