package format

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// part is a piece of a text: the letters themselves, or the name of a value that takes their place.
type part struct {
	literal string
	name    string // such as reference, or param:channel
}

// text is a text with placeholders.
type text []part

// nameForm is the form of what stands between braces.
var nameForm = regexp.MustCompile(`^[a-z][a-z_]*(:[a-z][a-z0-9_]*)?$`)

// parseText reads {name}, and {{ and }} as braces.
func parseText(s string) (text, error) {
	var out text
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			out = append(out, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			literal.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 || !nameForm.MatchString(s[i+1:i+end]) {
				return nil, fmt.Errorf("a { begins a placeholder such as {account}; write {{ for the brace itself")
			}
			flush()
			out = append(out, part{name: s[i+1 : i+end]})
			i += end
		case c == '}':
			return nil, fmt.Errorf("a } ends a placeholder that did not begin; write }} for the brace itself")
		default:
			literal.WriteByte(c)
		}
	}
	flush()
	return out, nil
}

// names lists the values that the text asks for.
func (t text) names() []string {
	var out []string
	for _, p := range t {
		if p.name != "" && !slices.Contains(out, p.name) {
			out = append(out, p.name)
		}
	}
	return out
}

// sole gives the one name that the text consists of.
func (t text) sole() (string, bool) {
	if len(t) == 1 && t[0].name != "" {
		return t[0].name, true
	}
	return "", false
}

// put gives the text with its values, each as the function writes it.
func (t text) put(write func(name string) string) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.literal)
		if p.name != "" {
			b.WriteString(write(p.name))
		}
	}
	return b.String()
}
