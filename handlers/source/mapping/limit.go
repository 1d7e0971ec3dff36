package mapping

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// The bounds of what an expression may make and do.
const (
	maxText      = 256 << 10 // bytes of a text
	maxList      = 20_000    // values of a list
	maxJSONText  = 128 << 10 // bytes of JSON inside of JSON
	costLimit    = 200_000   // of one evaluation
	costDelivery = 300_000   // of all evaluations of a delivery, and
	costEntry    = 700       // for each of its entries
	bytesPerCost = 10
	valueCost    = 3   // of each value of a list that a function goes through
	patternCost  = 5   // instructions of a pattern, for each byte, that cost as much as one step
	accountCost  = 100 // of each account that is looked at

	bytesPerReading  = 100 // of a text that an expression gives
	bytesPerCleaning = 16  // of a text that becomes part of a request
)

// limitError is the error of an expression that would make or do too much.
type limitError string

// Error implements error.
func (e limitError) Error() string { return string(e) }

// tooMuch makes an error value of a limitError.
func tooMuch(why string) ref.Val { return types.WrapErr(limitError(why)) }

// estimator charges each call for the bytes it reads and makes. The library charges by the overload, which is not known
// where a value is dyn, as all values of a body are.
type estimator struct{}

// CallCost implements cost.ActualCostEstimator.
func (estimator) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	sum, bytes := 1, length(result)
	for _, a := range args {
		bytes += length(a)
	}
	switch function {
	case overloads.Matches, "capture":
		if source, ok := args[len(args)-1].(types.String); ok {
			if v, ok := patterns.Load(string(source)); ok {
				sum += bytes * v.(pattern).size / patternCost
			}
		}
	case "parse_json":
		sum += 2 * bytes
	case "split", "join", operators.In, operators.OldIn, "login", "email", "login_or_email", "user_name", "sid", "object_id", "dn", "first", "flatten":
		for _, a := range args {
			sum += valueCost * values(a)
		}
		sum += valueCost * values(result)
	case operators.Equals, operators.NotEquals:
		sum += min(values(args[0]), values(args[1]), maxCompared)
	}
	charge := uint64(sum + bytes/bytesPerCost)
	return &charge
}

// length is how many bytes a text has.
func length(v ref.Val) int {
	switch v := v.(type) {
	case types.String:
		return len(v)
	case types.Bytes:
		return len(v)
	case *types.Optional:
		if v.HasValue() {
			return length(v.GetValue())
		}
	}
	return 0
}

// values is how many values a list or an object has of its own. They are known without a walk.
func values(v ref.Val) int {
	switch v := v.(type) {
	case traits.Lister, traits.Mapper:
		if n, ok := v.(traits.Sizer).Size().(types.Int); ok {
			return int(n)
		}
	case *types.Optional:
		if v.HasValue() {
			return values(v.GetValue())
		}
	}
	return 0
}

// maxCompared is how many values of a list or an object are compared with another.
const maxCompared = 100

// small tells whether a value is a scalar, or holds few enough of them to be compared.
func small(v ref.Val) bool {
	left := maxCompared
	return count(v, &left)
}

// count walks a value and takes one from left for each value in it; false if left is used up.
func count(v ref.Val, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch v := v.(type) {
	case *types.Optional:
		return !v.HasValue() || count(v.GetValue(), left)
	case traits.Lister:
		if n, ok := v.Size().(types.Int); !ok || int(n) > *left {
			return false
		}
		for it := v.Iterator(); it.HasNext() == types.True; {
			if !count(it.Next(), left) {
				return false
			}
		}
	case traits.Mapper:
		if n, ok := v.Size().(types.Int); !ok || int(n) > *left {
			return false
		}
		for it := v.Iterator(); it.HasNext() == types.True; {
			if e, found := v.Find(it.Next()); found && !count(e, left) {
				return false
			}
		}
	}
	return true
}
