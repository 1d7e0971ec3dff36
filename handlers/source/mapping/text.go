package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lengths that schemas.Request takes.
const (
	maxReference   = 256
	maxDescription = 4096
	maxActor       = 1024
)

// flatten gives the text of a value: a scalar's, or those of a list of scalars with a comma between; false if there is
// none. Objects have no text.
func flatten(v any) (string, bool) {
	if s, ok := text(v); ok {
		s = strings.TrimSpace(s)
		return s, s != ""
	}
	list, _ := v.([]any)
	var b strings.Builder
	for _, e := range list {
		s, ok := text(e)
		if s = strings.TrimSpace(s); !ok || s == "" {
			continue
		}
		s = s[:min(len(s), 2*maxDescription)] // more is cut off by clean at any rate
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if b.WriteString(s); b.Len() > maxDescription {
			break
		}
	}
	return b.String(), b.Len() > 0
}

// clean makes a text one that schemas.CheckText takes. What it refuses becomes a space, and what is too long is cut and
// ends with …: a long title must not lose a reset.
func clean(s string, longest int, lines bool) string {
	const more = "…"
	tooLong := len(s) > 2*longest // the work must not grow with what is cut off
	if tooLong {
		s = s[:runeBoundary(s, 2*longest)]
	}
	s = strings.ToValidUTF8(s, "�")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= ' ' && r < 0x7f: // most of them
			return r
		case lines && (r == '\n' || r == '\t'):
			return r
		case r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point):
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) <= longest && !tooLong {
		return s
	}
	return strings.TrimSpace(s[:runeBoundary(s, longest-len(more))]) + more
}

// runeBoundary gives the place at or before n where a character begins, or the end of the text.
func runeBoundary(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}
