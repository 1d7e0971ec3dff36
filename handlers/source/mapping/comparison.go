package mapping

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// lenient are the functions of CEL for which a member that is not there is a null, and a null equals nothing but a null
// that is written out, is neither less nor greater than anything, is in no list, begins with nothing, has the size zero
// and is not true. In CEL itself they fail, so that a rule such as body.kind != "User" would not hold for a body without
// a kind; and two members that are not there would be equal if both were null.
//
// They are also bounded: a few characters can make two lists whose comparison takes hours.
var lenient = map[string]func(v []ref.Val) ref.Val{
	operators.Equals:        func(v []ref.Val) ref.Val { return equal(v[0], v[1]) },
	operators.NotEquals:     func(v []ref.Val) ref.Val { return not(equal(v[0], v[1])) },
	operators.LogicalNot:    func(v []ref.Val) ref.Val { return not(v[0]) },
	operators.In:            in,
	operators.OldIn:         in,
	operators.Less:          func(v []ref.Val) ref.Val { return compare(v, types.IntNegOne) },
	operators.LessEquals:    func(v []ref.Val) ref.Val { return compare(v, types.IntNegOne, types.IntZero) },
	operators.Greater:       func(v []ref.Val) ref.Val { return compare(v, types.IntOne) },
	operators.GreaterEquals: func(v []ref.Val) ref.Val { return compare(v, types.IntOne, types.IntZero) },
	overloads.Size:          size,
	overloads.Contains:      func(v []ref.Val) ref.Val { return ofTexts(v, strings.Contains) },
	overloads.StartsWith:    func(v []ref.Val) ref.Val { return ofTexts(v, strings.HasPrefix) },
	overloads.EndsWith:      func(v []ref.Val) ref.Val { return ofTexts(v, strings.HasSuffix) },
	overloads.Matches:       matches,
	"capture":               func(v []ref.Val) ref.Val { return capture(v[0], v[1]) },
	"down_level":            func(v []ref.Val) ref.Val { return downLevel(v[0], v[1]) },
}

// truth is an operand of && and ||, or the condition of ?:, where what is missing or null is not true.
type truth struct{ interpreter.InterpretableV2 }

// Eval implements interpreter.Interpretable.
func (t truth) Eval(a interpreter.Activation) ref.Val { return interpreter.EvalActivation(a, t.Exec) }

// Exec implements interpreter.InterpretableV2.
func (t truth) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	v := t.InterpretableV2.Exec(frame)
	if e, ok := v.(*types.Err); ok && missing(e) || isNull(v) {
		return types.False
	}
	return v
}

// conditions gives the places of all operands that must be true or false.
func conditions(a *ast.AST) map[int64]bool {
	out := map[int64]bool{}
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case operators.Conditional:
			args = args[:1]
		case operators.LogicalAnd, operators.LogicalOr:
		default:
			return
		}
		for _, arg := range args {
			out[arg.ID()] = true
		}
	}))
	return out
}

// lenientCall is a call of one of them.
type lenientCall struct {
	interpreter.InterpretableCall
	do func(v []ref.Val) ref.Val
}

// makeLenient gives what replaces the steps of a program; it is the decorator that the compiler hands to the library.
func makeLenient(a *ast.AST) interpreter.InterpretableDecoratorV2 {
	conditions := conditions(a)
	return func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		if call, ok := i.(interpreter.InterpretableCall); ok {
			if do := leniently(call); do != nil {
				i = &lenientCall{call, do}
			}
		}
		if conditions[i.ID()] {
			i = truth{i}
		}
		return i, nil
	}
}

// leniently gives what a call is to do; nil if the library's own is right.
func leniently(call interpreter.InterpretableCall) func(v []ref.Val) ref.Val {
	f, args := call.Function(), call.Args()
	if do := helpers[f]; do != nil && len(args) == 1 && strings.HasPrefix(call.OverloadID(), "resetd_") {
		return func(v []ref.Val) ref.Val { return do(v[0]) }
	}
	if (f == operators.Equals || f == operators.NotEquals) && (writtenNull(args[0]) || writtenNull(args[1])) {
		return func(v []ref.Val) ref.Val {
			return types.Bool((isNull(v[0]) && isNull(v[1])) == (f == operators.Equals))
		}
	}
	return lenient[f]
}

// Eval implements interpreter.Interpretable.
func (c *lenientCall) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, c.Exec)
}

// Exec implements interpreter.InterpretableV2.
func (c *lenientCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	args := c.Args()
	v := make([]ref.Val, len(args))
	for i, arg := range args {
		v[i] = arg.Exec(frame)
		if e, ok := v[i].(*types.Err); ok {
			if !missing(e) {
				return e
			}
			v[i] = types.NullValue
		}
	}
	out := c.do(v)
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalVarArgs(frame, c.ID(), c, v, out)
	}
	return out
}

func isNull(v ref.Val) bool { return v.Type() == types.NullType }

// writtenNull tells whether an argument is the word null.
func writtenNull(i interpreter.InterpretableV2) bool {
	c, ok := i.(interpreter.InterpretableConst)
	return ok && isNull(c.Value())
}

func equal(a, b ref.Val) ref.Val {
	switch {
	case isNull(a) || isNull(b):
		return types.False
	case !small(a) && !small(b):
		return tooMuch("lists or objects of more than 100 values are compared")
	}
	return types.Equal(a, b)
}

func ofTexts(v []ref.Val, holds func(s, part string) bool) ref.Val {
	s, ok := v[0].(types.String)
	part, fits := v[1].(types.String)
	switch {
	case isNull(v[0]) || isNull(v[1]):
		return types.False
	case !ok || !fits:
		return types.NoSuchOverloadErr()
	}
	return types.Bool(holds(string(s), string(part)))
}

// matches tells whether a text has a part that fits a pattern.
func matches(v []ref.Val) ref.Val {
	s, ok := v[0].(types.String)
	source, fits := v[1].(types.String)
	switch {
	case isNull(v[0]):
		return types.False
	case !ok || !fits:
		return types.NoSuchOverloadErr()
	}
	p, err := findPattern(string(source), len(s))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Bool(p.MatchString(string(s)))
}

func not(v ref.Val) ref.Val {
	switch v {
	case types.True:
		return types.False
	case types.False, types.NullValue:
		return types.True
	}
	if types.IsError(v) {
		return v
	}
	return types.NoSuchOverloadErr()
}

func in(v []ref.Val) ref.Val {
	container, ok := v[1].(traits.Container)
	switch {
	case isNull(v[1]):
		return types.False
	case !ok:
		return types.NoSuchOverloadErr()
	case !small(v[0]):
		return tooMuch("in looks for a list or an object of more than 100 values")
	}
	return container.Contains(v[0])
}

func compare(v []ref.Val, wanted ...types.Int) ref.Val {
	comparer, ok := v[0].(traits.Comparer)
	switch {
	case isNull(v[0]) || isNull(v[1]):
		return types.False
	case !ok:
		return types.NoSuchOverloadErr()
	}
	out := comparer.Compare(v[1])
	if order, ok := out.(types.Int); ok {
		return types.Bool(slices.Contains(wanted, order))
	}
	return out // an error
}

func size(v []ref.Val) ref.Val {
	sizer, ok := v[0].(traits.Sizer)
	switch {
	case isNull(v[0]):
		return types.IntZero
	case !ok:
		return types.NoSuchOverloadErr()
	}
	return sizer.Size()
}
