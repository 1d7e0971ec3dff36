package verify

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// faults collects what is wrong with a configuration, so that all of it is told at once.
type faults struct{ all []error }

// add tells a fault. The field is relative to verify.
func (f *faults) add(field, format string, args ...any) {
	f.all = append(f.all, fmt.Errorf("verify.%s: %w", field, fmt.Errorf(format, args...)))
}

func (f *faults) join() error { return errors.Join(f.all...) }

// at names an entry of a list.
func at(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// headerForm is a token of RFC 9110 §5.6.2.
var headerForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// never are headers that net/http keeps from a handler or that say nothing of a sender.
var never = []string{"Connection", "Content-Length", "Content-Type", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// header checks the name of a header and gives it in canonical form.
func (f *faults) header(field, name string) string {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !headerForm.MatchString(name):
		f.add(field, "this is no name of a header; write one such as X-Secret, without its colon")
	case slices.Contains(never, canonical):
		f.add(field, "%s belongs to the connection and cannot carry a proof; write another header, such as X-Secret", canonical)
	}
	return canonical
}

// oneOf checks a word against a list and tells the list.
func (f *faults) oneOf(field, word string, of []string) bool {
	if slices.Contains(of, word) {
		return true
	}
	f.add(field, "%q is not known here; write one of %s", word, strings.Join(of, ", "))
	return false
}
