package mapping

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"sync"
)

const (
	maxPatternText = 512
	maxPattern     = 400     // instructions of a pattern's program
	maxPatternRun  = 500_000 // instructions times bytes of one run, at the worst some 15 ns each
)

// pattern is a compiled regular expression and how much a byte of text costs with it.
type pattern struct {
	*regexp.Regexp
	size int // instructions
}

// patterns are those that stand in expressions, by their source. Functions cannot keep anything for the place they are
// called from, and to compile at each call would be slow. Only the compiler adds to them.
var patterns sync.Map

// learnPattern compiles a pattern and keeps it.
func learnPattern(source string) error {
	if len(source) > maxPatternText {
		return fmt.Errorf("the pattern has %d bytes and at most %d are taken", len(source), maxPatternText)
	}
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return fmt.Errorf("the pattern is no RE2: %w", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return fmt.Errorf("the pattern is no RE2: %w", err)
	}
	if len(program.Inst) > maxPattern {
		return fmt.Errorf("the pattern becomes %d instructions and at most %d are taken; repeat less", len(program.Inst), maxPattern)
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return fmt.Errorf("the pattern is no RE2: %w", err)
	}
	patterns.Store(source, pattern{re, len(program.Inst)})
	return nil
}

// findPattern gives the pattern of a source, if it may be run on so long a text.
func findPattern(source string, text int) (pattern, error) {
	v, ok := patterns.Load(source)
	if !ok {
		return pattern{}, fmt.Errorf("the pattern %q was not compiled at start", source)
	}
	p := v.(pattern)
	if text*p.size > maxPatternRun {
		return pattern{}, limitError(fmt.Sprintf("a text of %d bytes is too long for the pattern; cut it with substring first", text))
	}
	return p, nil
}
