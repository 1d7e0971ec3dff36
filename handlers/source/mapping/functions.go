package mapping

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// operatorsOfOurs is + as CEL has it, but for what it may make.
func operatorsOfOurs() []cel.EnvOption {
	list := cel.ListType(cel.TypeParamType("A"))
	two := func(t *cel.Type) []*cel.Type { return []*cel.Type{t, t} }
	return []cel.EnvOption{cel.Function(operators.Add,
		cel.Overload(overloads.AddInt64, two(cel.IntType), cel.IntType),
		cel.Overload(overloads.AddUint64, two(cel.UintType), cel.UintType),
		cel.Overload(overloads.AddDouble, two(cel.DoubleType), cel.DoubleType),
		cel.Overload(overloads.AddString, two(cel.StringType), cel.StringType),
		cel.Overload(overloads.AddList, two(list), list),
		cel.Overload(overloads.AddDurationDuration, two(cel.DurationType), cel.DurationType),
		cel.Overload(overloads.AddTimestampDuration, []*cel.Type{cel.TimestampType, cel.DurationType}, cel.TimestampType),
		cel.Overload(overloads.AddDurationTimestamp, []*cel.Type{cel.DurationType, cel.TimestampType}, cel.TimestampType),
		cel.SingletonBinaryBinding(func(a, b ref.Val) ref.Val {
			adder, ok := a.(traits.Adder)
			switch {
			case isNull(a) || isNull(b):
				return types.WrapErr(errMissing)
			case !ok:
				return types.NoSuchOverloadErr()
			case length(a)+length(b) > maxText || values(a)+values(b) > maxList:
				return tooMuch("+ makes a text or a list that is too long")
			}
			return adder.Add(b)
		}))}
}

// textFunctions are those of CEL's strings extension that a mapping needs, under its names. The extension's own make their
// result before anybody can say that it is too long.
func textFunctions() []cel.EnvOption {
	s, n, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	member := func(name, overload string, args []*cel.Type, result *cel.Type, f func(v []ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(overload, args, result, cel.FunctionBinding(func(v ...ref.Val) ref.Val { return f(v) })))
	}
	str := func(v ref.Val) string { return string(v.(types.String)) }
	unary := func(name, overload string, f func(string) string) cel.EnvOption {
		return member(name, overload, []*cel.Type{s}, s, func(v []ref.Val) ref.Val { return types.String(f(str(v[0]))) })
	}
	return []cel.EnvOption{
		unary("lowerAscii", "string_lower_ascii", lowerASCII),
		unary("upperAscii", "string_upper_ascii", upperASCII),
		unary("trim", "string_trim", strings.TrimSpace),
		member("indexOf", "string_index_of_string", []*cel.Type{s, s}, n, func(v []ref.Val) ref.Val {
			return runeIndex(str(v[0]), strings.Index(str(v[0]), str(v[1])))
		}),
		member("lastIndexOf", "string_last_index_of_string", []*cel.Type{s, s}, n, func(v []ref.Val) ref.Val {
			return runeIndex(str(v[0]), strings.LastIndex(str(v[0]), str(v[1])))
		}),
		member("substring", "string_substring_int", []*cel.Type{s, n}, s, func(v []ref.Val) ref.Val {
			return substring(str(v[0]), int64(v[1].(types.Int)), -1)
		}),
		member("substring", "string_substring_int_int", []*cel.Type{s, n, n}, s, func(v []ref.Val) ref.Val {
			if v[2].(types.Int) < v[1].(types.Int) {
				return fail("substring ends before it begins")
			}
			return substring(str(v[0]), int64(v[1].(types.Int)), int64(v[2].(types.Int)))
		}),
		member("split", "string_split_string", []*cel.Type{s, s}, list, func(v []ref.Val) ref.Val {
			return split(str(v[0]), str(v[1]))
		}),
		member("replace", "string_replace_string_string", []*cel.Type{s, s, s}, s, func(v []ref.Val) ref.Val {
			return replace(str(v[0]), str(v[1]), str(v[2]))
		}),
		member("join", "list_join", []*cel.Type{list}, s, func(v []ref.Val) ref.Val { return join(v[0].(traits.Lister), "") }),
		member("join", "list_join_string", []*cel.Type{list, s}, s, func(v []ref.Val) ref.Val {
			return join(v[0].(traits.Lister), str(v[1]))
		}),
		member(overloads.Matches, overloads.MatchesString, []*cel.Type{s, s}, cel.BoolType, matches),
	}
}

func lowerASCII(s string) string { return mapASCII(s, 'A', 'Z', 'a'-'A') }

func upperASCII(s string) string { return mapASCII(s, 'a', 'z', 'A'-'a') }

func mapASCII(s string, first, last byte, by int) string {
	b := []byte(s)
	for i, c := range b {
		if c >= first && c <= last {
			b[i] = byte(int(c) + by)
		}
	}
	return string(b)
}

func runeIndex(s string, at int) ref.Val {
	if at < 0 {
		return types.Int(-1)
	}
	return types.Int(utf8.RuneCountInString(s[:at]))
}

// substring gives the characters from first to before last; -1 is the end.
func substring(s string, first, last int64) ref.Val {
	from, ok := runeOffset(s, first)
	to, fits := len(s), true
	if last >= 0 {
		to, fits = runeOffset(s, last)
	}
	if !ok || !fits {
		return fail("substring: index out of range")
	}
	return types.String(s[from:to])
}

func runeOffset(s string, n int64) (int, bool) {
	if n < 0 {
		return 0, false
	}
	for i := range s {
		if n == 0 {
			return i, true
		}
		n--
	}
	return len(s), n == 0
}

func split(s, separator string) ref.Val {
	if parts := strings.Count(s, separator); parts >= maxList {
		return tooMuch("split makes a list that is too long")
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.Split(s, separator))
}

func replace(s, old, by string) ref.Val {
	if strings.Count(s, old)*(len(by)-len(old))+len(s) > maxText {
		return tooMuch("replace makes a text that is too long")
	}
	return types.String(strings.ReplaceAll(s, old, by))
}

func join(list traits.Lister, separator string) ref.Val {
	var b strings.Builder
	between := ""
	for it := list.Iterator(); it.HasNext() == types.True; between = separator {
		s, ok := it.Next().(types.String)
		if !ok {
			return fail("join takes texts only")
		}
		b.WriteString(between)
		if b.WriteString(string(s)); b.Len() > maxText {
			return tooMuch("join makes a text that is too long")
		}
	}
	return types.String(b.String())
}
