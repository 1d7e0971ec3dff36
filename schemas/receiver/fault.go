package receiver

import "strings"

// Fault is one mistake in a description. Path is where it stands below the callback settings, such as auth.secret or
// template.requests[0].url; Text says what is wrong and what to write instead. It quotes no secret.
type Fault struct{ Path, Text string }

// Faults is every mistake that was found.
type Faults []Fault

// Error gives all of them, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = "callback." + one.Path + ": " + one.Text
	}
	return strings.Join(lines, "\n")
}
