package connectors

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
)

// The bounds of what a system may say, in bytes. Names and words come from whoever may write there, and each is kept in
// the ledger and sent in callbacks several times.
const (
	maxName   = 1 << 10
	maxDetail = 2 << 10
	maxExact  = 512 // what is compared later, and therefore never cut
)

// detail makes words of a connector fit to be shown: without secrets, in one readable line, not too long. Secrets go first,
// because the other two could leave a part of one.
func (s *system) detail(text string) string { return readable(s.redact.text(text), maxDetail) }

// details gives a copy of the texts, each fit to be shown.
func (s *system) details(texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, s.detail(t))
	}
	return out
}

// readable gives the text in one line and at most that many bytes. Characters that cannot be seen, or that change the
// direction of others so that a text reads as another, are written out as \u202E; what is cut off leaves an ellipsis.
func readable(text string, most int) string {
	const ellipsis = "…"
	var out strings.Builder
	fits := 0 // how much of out leaves room for the ellipsis
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		out.WriteString(shown(r, text[i:i+size]))
		i += size
		switch {
		case out.Len() > most:
			return out.String()[:fits] + ellipsis
		case out.Len() <= most-len(ellipsis):
			fits = out.Len()
		}
	}
	return out.String()
}

// shown gives a character as it is to be seen. Raw is how it stands in the text.
func shown(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02X`, raw[0])
	case r == '\n' || r == '\r' || r == '\t':
		return " "
	case schemas.CheckText(raw, len(raw), false) == nil:
		return raw
	case r > 0xFFFF:
		return fmt.Sprintf(`\U%08X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}

// exact refuses a value of a system that is kept for comparison and can therefore be neither cleaned nor cut.
func exact(what, value string) error {
	if err := schemas.CheckText(value, maxExact, false); err != nil {
		return schemas.Fail(schemas.CodeUnexpected, "the system gave %s that cannot be kept: %s; look at the account there", what, err)
	}
	return nil
}
