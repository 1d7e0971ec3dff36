package mapping

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
)

// The bounds of an expression's source.
const (
	maxSource     = 2048
	maxRecursion  = 64
	maxLoops      = 2 // one inside another, a chain such as .filter(…).map(…) included
	maxLoopValues = 16
)

// entryEnv knows body, item, headers and now; deliveryEnv, for what is asked of a delivery as a whole, has no item.
var (
	entryEnv    = sync.OnceValues(func() (*cel.Env, error) { return newEnv(cel.Variable("item", cel.DynType)) })
	deliveryEnv = sync.OnceValues(func() (*cel.Env, error) { return newEnv() })
)

// standard are the functions of CEL's own library that are taken over. Left out are those whose work could not be bounded
// beforehand (+ and matches, which functions.go has) and those that a mapping has no use for.
var standard = []string{
	operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.NotStrictlyFalse,
	operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals,
	operators.Greater, operators.GreaterEquals, operators.Index, operators.In, operators.OldIn, operators.Subtract,
	operators.Multiply, operators.Divide, operators.Modulo, operators.Negate,
	overloads.Size, overloads.Contains, overloads.StartsWith, overloads.EndsWith,
	overloads.TypeConvertType, overloads.TypeConvertBool, overloads.TypeConvertInt, overloads.TypeConvertUint,
	overloads.TypeConvertDouble, overloads.TypeConvertString, overloads.TypeConvertTimestamp, overloads.TypeConvertDuration,
	overloads.TypeConvertDyn,
}

func newEnv(more ...cel.EnvOption) (*cel.Env, error) {
	subset := env.NewLibrarySubset()
	for _, name := range standard {
		subset.AddIncludedFunctions(env.NewFunction(name))
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(subset)),
		cel.OptionalTypes(cel.OptionalTypesVersion(0)),
		// optMap and optFlatMap give a value a name without a loop, which the limit of nested loops does not see: with
		// them a few characters double a value, again and again.
		cel.ClearMacros(),
		cel.Macros(cel.StandardMacros...),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ParserRecursionLimit(maxRecursion),
		cel.ASTValidators(cel.ValidateComprehensionNestingLimit(maxLoops), cel.ValidateTimestampLiterals(),
			cel.ValidateDurationLiterals(), loopValues{}, noTypes{}, literalPatterns{}),
		cel.DefaultUTCTimeZone(true),
		cel.EagerlyValidateDeclarations(true),
		cel.Variable("body", cel.DynType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("now", cel.TimestampType),
	}
	options = append(options, operatorsOfOurs()...)
	options = append(options, textFunctions()...)
	options = append(options, helperFunctions()...)
	return cel.NewCustomEnv(append(options, more...)...)
}
