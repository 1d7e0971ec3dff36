package googleworkspace_test

import (
	"fmt"
	"strings"
)

// fields is a mask as the parameter "fields" gives it: names, and what is wanted below each; nil for everything.
type fields map[string]fields

// parseFields reads "id,users(id,name/givenName)".
func parseFields(text string) (fields, error) {
	out, rest, err := someFields(text)
	if err == nil && rest != "" {
		err = fmt.Errorf("%q is left over", rest)
	}
	return out, err
}

func someFields(text string) (fields, string, error) {
	out := fields{}
	for {
		end := strings.IndexAny(text, ",()/")
		if end < 0 {
			end = len(text)
		}
		name := text[:end]
		if name == "" {
			return nil, "", fmt.Errorf("a name is missing before %q", text)
		}
		text = text[end:]
		var below fields
		var err error
		switch {
		case strings.HasPrefix(text, "("):
			if below, text, err = someFields(text[1:]); err != nil {
				return nil, "", err
			}
			if !strings.HasPrefix(text, ")") {
				return nil, "", fmt.Errorf("a ) is missing before %q", text)
			}
			text = text[1:]
		case strings.HasPrefix(text, "/"):
			return nil, "", fmt.Errorf("the form a/b is not known here")
		}
		out[name] = below
		if !strings.HasPrefix(text, ",") {
			return out, text, nil
		}
		text = text[1:]
	}
}

// checkFields holds a mask against the schema of what it is put on.
func (d *discovery) checkFields(text string, s schema) error {
	mask, err := parseFields(text)
	if err != nil {
		return err
	}
	return d.checkMask(mask, s)
}

func (d *discovery) checkMask(mask fields, s schema) error {
	for {
		switch {
		case s.Ref != "":
			s = d.Schemas[s.Ref]
			continue
		case s.Items != nil:
			s = *s.Items
			continue
		}
		break
	}
	for name, below := range mask {
		p, ok := s.Properties[name]
		if !ok {
			return fmt.Errorf("%q is not described", name)
		}
		if below != nil {
			if err := d.checkMask(below, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep gives what the mask lets through.
func (mask fields) keep(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, below := range mask {
			if one, ok := v[name]; ok {
				if below != nil {
					one = below.keep(one)
				}
				out[name] = one
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = mask.keep(one)
		}
		return out
	}
	return v
}
