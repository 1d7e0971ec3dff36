package connectors

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// minSecret is the shortest secret that is looked for, in bytes. Taking a shorter one out of a text would show it by what
// is gone rather than hide it.
const minSecret = 4

// Redact takes secrets out of a text, as they are and as they commonly stand in messages: in a URL, in quotes, in base64.
// Secrets of fewer than 4 bytes stay. It is for secrets that a connector makes inside, and for texts that it cuts short:
// Set sees those only afterwards.
func Redact(text string, secrets ...schemas.Secret) string { return newRedactor(secrets).text(text) }

// redactor takes known secrets out of texts.
type redactor struct{ replace *strings.Replacer }

// newRedactor prepares what Redact does.
func newRedactor(secrets []schemas.Secret) redactor {
	var forms []string
	for _, s := range secrets {
		text := s.Reveal()
		if len(text) < minSecret {
			continue
		}
		quoted := strconv.Quote(text)
		forms = append(forms, text, url.QueryEscape(text), url.PathEscape(text), quoted[1:len(quoted)-1],
			base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	// The longest first: where one form begins with another, the replacer takes the one that comes first.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, schemas.Redacted)
	}
	return redactor{strings.NewReplacer(pairs...)}
}

// text gives the text without the secrets.
func (r redactor) text(s string) string { return r.replace.Replace(s) }

// wrap gives an error that reads as err without the secrets and is errors.Is to what err is, but does not hand it out.
func (r redactor) wrap(err error) error {
	if err == nil {
		return nil
	}
	return &redactedError{text: r.text(err.Error()), err: err}
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }
