package signature

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

const (
	defaultMinKeyBytes = 16
	maxMinKeyBytes     = 128
	maxHeaderNameLen   = 128
	maxRequiredHeaders = 8
)

// faults collects everything that is wrong with a template.
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, refuse(ReasonBadTemplate, "%s: %s", field, fmt.Sprintf(format, args...)))
}

// bound refuses a text that is too long.
func (f *faults) bound(field, text string, most int) {
	if len(text) > most {
		f.add(field, "it has %d bytes, %d are allowed", len(text), most)
	}
}

// choose returns the value, or the first of those allowed if there is none.
func (f *faults) choose(field, value string, allowed ...string) string {
	switch {
	case value == "":
		return allowed[0]
	case !slices.Contains(allowed, value):
		f.add(field, "use one of %s", strings.Join(allowed, ", "))
		return allowed[0]
	}
	return value
}

// header checks a name and returns it in canonical form; it may be empty.
func (f *faults) header(field, name string) string {
	switch canonical := http.CanonicalHeaderKey(name); {
	case name == "":
		return ""
	case !validHeaderName(name):
		f.add(field, "this is no name of a header; it has 1 to %d letters, digits and - _ and the like, and no colon", maxHeaderNameLen)
		return ""
	case canonical == "Host" || canonical == "Transfer-Encoding" || canonical == "Trailer":
		f.add(field, "%s is none of the headers that a handler gets to see", canonical)
		return ""
	default:
		return canonical
	}
}

// expression compiles a regular expression that is matched against one whole entry.
func (f *faults) expression(field, pattern, separator string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		var at *syntax.Error
		if errors.As(err, &at) {
			err = errors.New(at.Code.String())
		}
		f.add(field, "this is no regular expression (RE2): %s", err)
		return nil
	}
	if n := tree.MaxCap(); n != 1 {
		f.add(field, "it has %d groups; put one pair of brackets around what is wanted, and write (?:…) for others", n)
		return nil
	}
	if asksFor(tree, separator) {
		f.add(field, "it asks for the separator of the entries, and is matched against each entry alone; leave it out")
		return nil
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		f.add(field, "it is too deep or too large")
	}
	return whole
}

// asksFor reports whether an expression has a literal that holds text.
func asksFor(tree *syntax.Regexp, text string) bool {
	if tree.Op == syntax.OpLiteral && strings.Contains(string(tree.Rune), text) {
		return true
	}
	return slices.ContainsFunc(tree.Sub, func(sub *syntax.Regexp) bool { return asksFor(sub, text) })
}
