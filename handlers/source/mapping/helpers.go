package mapping

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// The functions of this file take anything and give null for what is absent (a null, an optional without a value, white
// space), so that they can be written around a member that may be missing.

// scalar gives the text of a scalar, trimmed, and whether there is any. A list of one stands for what is in it.
func scalar(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case *types.Optional:
		return unwrapped(v, scalar)
	case types.String, types.Int, types.Uint, types.Double:
		n, err := native(v)
		if err != nil {
			return "", false
		}
		s, _ := text(n)
		s = strings.TrimSpace(s)
		return s, s != ""
	case traits.Lister:
		if v.Size() == types.Int(1) {
			return scalar(v.Get(types.Int(0)))
		}
	}
	return "", false
}

func unwrapped(o *types.Optional, f func(ref.Val) (string, bool)) (string, bool) {
	if !o.HasValue() {
		return "", false
	}
	return f(o.GetValue())
}

// nothing tells whether a value is absent.
func nothing(v ref.Val) bool {
	switch v := v.(type) {
	case types.Null:
		return true
	case *types.Optional:
		return !v.HasValue() || nothing(v.GetValue())
	case types.String:
		return strings.TrimSpace(string(v)) == ""
	case traits.Lister:
		return v.Size() == types.Int(0)
	}
	return false
}

func unary(name string, result *cel.Type, f func(ref.Val) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload("resetd_"+name, []*cel.Type{cel.DynType}, result, cel.UnaryBinding(f)))
}

// onText makes a function of a text; anything else is an error, and nothing gives nothing.
func onText(name string, f func(string) ref.Val) cel.EnvOption {
	return unary(name, cel.DynType, func(v ref.Val) ref.Val {
		if nothing(v) {
			return types.NullValue
		}
		s, ok := scalar(v)
		if !ok {
			return fail("%s takes a text", name)
		}
		return f(s)
	})
}

func valueFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		onText("parse_json", parseJSON),
		onText("lower", func(s string) ref.Val { return types.String(strings.ToLower(s)) }),
		onText("trim", func(s string) ref.Val { return types.String(s) }),
		onText("unix", func(s string) ref.Val { return at("unix", s, time.Second) }),
		onText("unix_ms", func(s string) ref.Val { return at("unix_ms", s, time.Millisecond) }),
		onText("rfc3339", func(s string) ref.Val {
			t, ok := parseTime(s)
			if !ok {
				return fail("rfc3339: this is no time")
			}
			return types.String(t.Format(time.RFC3339Nano))
		}),
		onText("split_account", splitAccount),
		unary("first", cel.DynType, first),
		unary("array", cel.ListType(cel.DynType), array),
		cel.Function("capture", cel.Overload("resetd_capture", []*cel.Type{cel.DynType, cel.StringType}, cel.DynType,
			cel.BinaryBinding(capture))),
	}
}

func parseJSON(s string) ref.Val {
	if len(s) > maxJSONText {
		return tooMuch("parse_json takes a text of at most 128 KiB")
	}
	v, _, err := decode([]byte(s))
	if err != nil {
		return fail("parse_json: the text is not valid JSON")
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

func at(name, s string, unit time.Duration) ref.Val {
	t, ok := epoch(s, unit)
	if !ok {
		return fail("%s: this is no number of seconds or milliseconds", name)
	}
	return types.String(t.Format(time.RFC3339Nano))
}

// splitAccount takes DOMAIN\name apart. Without a backslash the domain is empty.
func splitAccount(s string) ref.Val {
	domain, name, found := strings.Cut(s, `\`)
	if !found {
		domain, name = "", s
	}
	return types.DefaultTypeAdapter.NativeToValue(map[string]any{"domain": domain, "name": name})
}

// first gives the first value of a list that is not absent.
func first(v ref.Val) ref.Val {
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return types.NullValue
		}
		v = o.GetValue()
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return v
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if e := it.Next(); !nothing(e) {
			return e
		}
	}
	return types.NullValue
}

// array gives a list as it is, nothing as an empty list, and anything else as a list of one.
func array(v ref.Val) ref.Val {
	if o, ok := v.(*types.Optional); ok && o.HasValue() {
		v = o.GetValue()
	}
	if list, ok := v.(traits.Lister); ok {
		return list
	}
	if nothing(v) {
		return types.NewRefValList(types.DefaultTypeAdapter, nil)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, []ref.Val{v})
}

// capture gives what the first group of a pattern matched, or all that was matched if it has no group.
func capture(v, source ref.Val) ref.Val {
	if nothing(v) {
		return types.NullValue
	}
	s, ok := scalar(v)
	if !ok {
		return fail("capture takes a text")
	}
	p, err := findPattern(string(source.(types.String)), len(s))
	if err != nil {
		return types.WrapErr(err)
	}
	m := p.FindStringSubmatch(s)
	switch {
	case m == nil:
		return types.NullValue
	case len(m) > 1:
		return types.String(m[1])
	}
	return types.String(m[0])
}

// reasonError is an error of a function of ours. It quotes nothing of the body, unlike those of the library.
type reasonError string

// Error implements error.
func (e reasonError) Error() string { return string(e) }

// fail makes an error value of a reasonError.
func fail(format string, args ...any) ref.Val {
	return types.WrapErr(reasonError(fmt.Sprintf(format, args...)))
}
