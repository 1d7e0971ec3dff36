package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// path is where a value stands: $.a[0]["x.y"]. A step is the name of a member or the place in a list.
type path struct {
	text  string
	body  bool // begins at the whole body, whatever the entry is
	steps []step
}

type step struct {
	name  string
	index int // -1 for a member
}

const maxSteps = 32

// parsePath reads a text that begins with $.
func parsePath(text string) (path, error) {
	p := path{text: text}
	rest := text[1:]
	if after, ok := strings.CutPrefix(rest, "body"); ok {
		p.body, rest = true, after
	}
	for rest != "" {
		if len(p.steps) == maxSteps {
			return path{}, fmt.Errorf("it has more than %d steps", maxSteps)
		}
		var s step
		var err error
		switch rest[0] {
		case '.':
			s, rest, err = memberStep(rest[1:])
		case '[':
			s, rest, err = bracketStep(rest[1:])
		default:
			err = errors.New(`a path is $, $.a.b, $.a[0] or $.a["x.y"], and begins with $body for the whole body; write a text that begins with $ as ="$…"`)
		}
		if err != nil {
			return path{}, err
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

func memberStep(rest string) (step, string, error) {
	end := strings.IndexAny(rest, ".[")
	if end < 0 {
		end = len(rest)
	}
	name := rest[:end]
	for _, r := range name {
		if r == '_' || r == '-' || r == '@' || r == '$' || r == ':' || r >= 0x80 || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			continue
		}
		return step{}, "", fmt.Errorf(`the name %q has the character %q; write it as ["…"], or use an expression behind =`, name, r)
	}
	if name == "" {
		return step{}, "", errors.New("a name is missing behind a dot")
	}
	return step{name: name, index: -1}, rest[end:], nil
}

func bracketStep(rest string) (step, string, error) {
	if strings.HasPrefix(rest, `"`) {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return step{}, "", errors.New(`a name in brackets is not ended by "`)
		}
		name, err := strconv.Unquote(quoted)
		after, closed := strings.CutPrefix(rest[len(quoted):], "]")
		if err != nil || !closed {
			return step{}, "", errors.New(`a name in brackets is written ["x.y"]`)
		}
		return step{name: name, index: -1}, after, nil
	}
	inside, after, closed := strings.Cut(rest, "]")
	n, err := strconv.Atoi(inside)
	if !closed || err != nil || n < 0 || strconv.Itoa(n) != inside {
		return step{}, "", errors.New(`brackets hold a place in a list, [0], or a name, ["x.y"]; for more, use foreach or an expression behind =`)
	}
	return step{index: n}, after, nil
}

// walk gives what stands at the path, and whether it is there at all. A null is there.
func (p path) walk(v any) (any, bool) {
	for _, s := range p.steps {
		if s.index >= 0 {
			list, ok := v.([]any)
			if !ok || s.index >= len(list) {
				return nil, false
			}
			v = list[s.index]
			continue
		}
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[s.name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// pointer is the path as a JSON pointer (RFC 6901) into what it begins at.
func (p path) pointer() string {
	var b strings.Builder
	for _, s := range p.steps {
		if s.index >= 0 {
			b.WriteString("/" + strconv.Itoa(s.index))
			continue
		}
		b.WriteString("/" + escapePointer(s.name))
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(name string) string { return pointerEscapes.Replace(name) }
