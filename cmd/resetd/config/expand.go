package config

import (
	"regexp"
	"strings"
)

// variable is ${NAME} as POSIX shells name variables; $${ before it stands for a plain ${.
var variable = regexp.MustCompile(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand puts the environment into a text and names the variables that are not set. A value goes through escape, if
// there is one, with the offset of its variable in the text.
func (s *source) expand(text string, escape func(at int, value string) string) (out string, missing []string) {
	var b strings.Builder
	last := 0
	for _, m := range variable.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[last:m[0]])
		last = m[1]
		name := text[m[2]:m[3]]
		if strings.HasPrefix(text[m[0]:], "$$") {
			b.WriteString("${" + name + "}")
			continue
		}
		value, ok := s.env(name)
		if !ok {
			missing = append(missing, name)
			continue
		}
		if escape != nil {
			value = escape(m[0], value)
		}
		b.WriteString(value)
	}
	b.WriteString(text[last:])
	return b.String(), missing
}
