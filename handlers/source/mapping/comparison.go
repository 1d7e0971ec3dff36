package mapping

import (
	"errors"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// errMissing is the error of a function that was given a null where it needs a value. It counts as if the member were not
// there.
var errMissing = errors.New("no such key: null")

func missingVal() ref.Val { return types.WrapErr(errMissing) }

func isNull(v ref.Val) bool { return v.Type() == types.NullType }

// guarded are the functions of CEL whose calls are replaced: they would compare what is large on both sides, which a few
// characters can make last for hours, or fail on a null where a member that is not there counts as absent.
var guarded = map[string]func(v []ref.Val) ref.Val{
	operators.Equals:    func(v []ref.Val) ref.Val { return equal(v[0], v[1]) },
	operators.NotEquals: notEqual,
	operators.In:        in,
	operators.OldIn:     in,
	operators.Less:      func(v []ref.Val) ref.Val { return compare(v, -1) },
	operators.LessEquals: func(v []ref.Val) ref.Val {
		return compare(v, -1, 0)
	},
	operators.Greater:       func(v []ref.Val) ref.Val { return compare(v, 1) },
	operators.GreaterEquals: func(v []ref.Val) ref.Val { return compare(v, 1, 0) },
	overloads.Size:          size,
}

// guard replaces the calls of a program to what is guarded.
func guard(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	do := guarded[call.Function()]
	if do == nil {
		return i, nil
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(v ...ref.Val) ref.Val { return do(v) }), nil
}

func equal(a, b ref.Val) ref.Val {
	if !small(a) && !small(b) {
		return tooMuch("lists or objects of more than 1000 values are compared")
	}
	return types.Equal(a, b)
}

func notEqual(v []ref.Val) ref.Val {
	switch e := equal(v[0], v[1]); e {
	case types.True:
		return types.False
	case types.False:
		return types.True
	default:
		return e
	}
}

func in(v []ref.Val) ref.Val {
	container, ok := v[1].(traits.Container)
	switch {
	case isNull(v[1]):
		return missingVal()
	case !ok:
		return types.NoSuchOverloadErr()
	case !small(v[0]):
		return tooMuch("in looks for a list or an object of more than 1000 values")
	}
	return container.Contains(v[0])
}

func compare(v []ref.Val, wanted ...types.Int) ref.Val {
	comparer, ok := v[0].(traits.Comparer)
	switch {
	case isNull(v[0]) || isNull(v[1]):
		return missingVal()
	case !ok:
		return types.NoSuchOverloadErr()
	}
	order, ok := comparer.Compare(v[1]).(types.Int)
	if !ok {
		return comparer.Compare(v[1]) // the error
	}
	for _, w := range wanted {
		if order == w {
			return types.True
		}
	}
	return types.False
}

func size(v []ref.Val) ref.Val {
	sizer, ok := v[0].(traits.Sizer)
	switch {
	case isNull(v[0]):
		return missingVal()
	case !ok:
		return types.NoSuchOverloadErr()
	}
	return sizer.Size()
}
