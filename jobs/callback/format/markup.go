package format

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// markup is what a receiver reads into a text. It says, character by character, how each is written so that it stays
// what it is. The zero value is plain text.
type markup struct {
	special string              // the characters that are written otherwise
	write   func(r rune) string // and how
}

// markups are the choices of receiver.Template.Text.
var markups = map[string]markup{
	"":      {},
	"plain": {},
	// Braces too, because Liquid is often expanded in the HTML that a tool was given.
	"html": {`&<>"'{}`, entity},
	// Slack: the three characters by which mentions, channels and links are written.
	"slack": {"&<>", func(r rune) string { return map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}[r] }},
	// Jira's wiki markup has no escape that works everywhere; entities do. The backslash is on the list because two of
	// them are a line break, the colon because of links, and @ because some versions mention by it.
	"jira-wiki": {`&\{}[]()|*_?-+^~#!@:<>"'` + "`", entity},
	// Journal fields render what stands between [code] and [/code] as HTML.
	"servicenow": {"[", func(rune) string { return "[ " }},
	// Within a fenced block of Markdown only a fence means anything.
	"code": {"`", func(rune) string { return "'" }},
}

func entity(r rune) string {
	const digits = "0123456789"
	out := []byte{';'}
	for n := r; n > 0; n /= 10 {
		out = append([]byte{digits[n%10]}, out...)
	}
	return "&#" + string(out)
}

// escape writes a text so that the receiver shows it as it is.
func (m markup) escape(s string) string {
	if m.special == "" || !strings.ContainsAny(s, m.special) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		b.WriteString(m.one(r))
	}
	return b.String()
}

func (m markup) one(r rune) string {
	if strings.ContainsRune(m.special, r) {
		return m.write(r)
	}
	return string(r)
}

// cut escapes a text and ends it, with …, where it would get longer than limit characters.
func (m markup) cut(s string, limit int) string {
	if out := m.escape(s); utf8.RuneCountInString(out) <= limit {
		return out
	}
	var b strings.Builder
	length := 0
	for _, r := range s {
		one := m.one(r)
		if length += utf8.RuneCountInString(one); length > limit-1 {
			break
		}
		b.WriteString(one)
	}
	return b.String() + "…"
}

// line makes a text of foreign origin one line without characters that are not to be seen or that turn the direction of
// writing: nobody outside can add lines to what we say, or make it read otherwise.
func line(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == utf8.RuneError:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

// clip shortens a text to so many characters.
func clip(s string, limit int) string { return markup{}.cut(s, limit) }
