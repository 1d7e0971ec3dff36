package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fault is one mistake: where it is, what it is, and what to write instead. It never quotes a secret.
type Fault struct {
	File         string // as the file was named
	Line, Column int    // counted from 1; zero when the file as a whole is meant
	Path         string // sources[0].verify.keys[0]; empty when the file as a whole is meant
	Text         string
}

// Error gives file:line:column, the key and the text in one line, a form that editors can jump to.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Text)
	return b.String()
}

// Covers tells whether the fault is at a path or above it, so that more about the path would say nothing new.
func (f Fault) Covers(path string) bool { return f.Path != "" && within(path, f.Path) }

// Faults is every mistake of a file, in the order of the file.
type Faults []Fault

// Error gives one line for each.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Concerning gives the faults that stand in the way of reading one key: those at it or below it, and those of the file
// as a whole.
func (fs Faults) Concerning(path string) Faults {
	var out Faults
	for _, f := range fs {
		if f.Path == "" || within(f.Path, path) {
			out = append(out, f)
		}
	}
	return out
}

// Join makes one error of several: the Faults among them become one list in the order of the file, and whatever else
// there is follows. It gives nil when all are nil.
func Join(errs ...error) error {
	var all Faults
	var rest []error
	for _, err := range errs {
		var fs Faults
		switch {
		case errors.As(err, &fs):
			all = append(all, fs...)
		case err != nil:
			rest = append(rest, err)
		}
	}
	if len(all) == 0 {
		return errors.Join(rest...)
	}
	all = sorted(all)
	if len(rest) == 0 {
		return all
	}
	return errors.Join(append([]error{all}, rest...)...)
}

// sorted gives the faults in the order of the file, each once.
func sorted(fs []Fault) Faults {
	out := slices.Clone(fs)
	slices.SortStableFunc(out, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(out)
}

// within tells whether a path is another one or lies below it.
func within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || above == "" || rest[0] == '.' || rest[0] == '[')
}
