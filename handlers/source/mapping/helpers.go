package mapping

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/resetd/resetd/schemas"
)

// The functions of this file take anything and give null for what is absent (a null, an optional without a value, white
// space), so that they can be written around a member that may be missing.

// scalar gives the text of a scalar, trimmed, and whether there is any. A list of one stands for what is in it.
func scalar(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case *types.Optional:
		if v.HasValue() {
			return scalar(v.GetValue())
		}
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

// helpers are the functions beside CEL's own, by name. Each has one argument but for those of two below.
var helpers = map[string]func(ref.Val) ref.Val{
	"parse_json":    onText("parse_json", parseJSON),
	"lower":         onText("lower", func(s string) ref.Val { return types.String(strings.ToLower(s)) }),
	"trim":          onText("trim", func(s string) ref.Val { return types.String(s) }),
	"unix":          onText("unix", func(s string) ref.Val { return at("unix", s, time.Second) }),
	"unix_ms":       onText("unix_ms", func(s string) ref.Val { return at("unix_ms", s, time.Millisecond) }),
	"rfc3339":       onText("rfc3339", rfc3339),
	"split_account": onText("split_account", splitAccount),
	"arn_user":      onText("arn_user", arnUser),
	"address":       onText("address", address),
	"first":         first,
	"array":         array,
	"flatten":       flattenLists,

	"login":          typed("login", schemas.AccountLogin),
	"email":          typed("email", schemas.AccountEmail),
	"login_or_email": typed("login_or_email", schemas.AccountAddress),
	"user_name":      typed("user_name", schemas.AccountUserName),
	"sid":            typed("sid", schemas.AccountSID),
	"object_id":      typed("object_id", schemas.AccountObjectID),
	"dn":             typed("dn", schemas.AccountDN),
}

// helperFunctions declares the helpers. What they do is bound by makeLenient, which gives them a null for what is missing.
func helperFunctions() []cel.EnvOption {
	var out []cel.EnvOption
	for name, f := range helpers {
		result := cel.DynType
		if name == "array" || name == "flatten" {
			result = cel.ListType(cel.DynType)
		}
		out = append(out, cel.Function(name, cel.Overload("resetd_"+name, []*cel.Type{cel.DynType}, result, cel.UnaryBinding(f))))
	}
	two := func(name string, second *cel.Type, f func(a, b ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload("resetd_"+name, []*cel.Type{cel.DynType, second}, cel.DynType, cel.BinaryBinding(f)))
	}
	return append(out, two("capture", cel.StringType, capture), two("down_level", cel.DynType, downLevel))
}

// onText makes a function of a text; anything else is an error, and nothing gives nothing.
func onText(name string, f func(string) ref.Val) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val {
		if nothing(v) {
			return types.NullValue
		}
		s, ok := scalar(v)
		if !ok {
			return fail("%s takes a text", name)
		}
		return f(s)
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

func rfc3339(s string) ref.Val {
	t, ok := parseTime(s)
	if !ok {
		return fail("rfc3339: this is no time")
	}
	return types.String(t.Format(time.RFC3339Nano))
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

// flattenLists gives the values of the lists in a list as one list. What is no list stays, and what is absent goes.
func flattenLists(v ref.Val) ref.Val {
	list, ok := array(v).(traits.Lister)
	if !ok {
		return types.NoSuchOverloadErr()
	}
	var out []ref.Val
	for it := list.Iterator(); it.HasNext() == types.True; {
		inner, ok := array(it.Next()).(traits.Lister)
		if !ok {
			return types.NoSuchOverloadErr()
		}
		if len(out)+values(inner) > maxList {
			return tooMuch("flatten makes a list that is too long")
		}
		for in := inner.Iterator(); in.HasNext() == types.True; {
			out = append(out, in.Next())
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, out)
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
