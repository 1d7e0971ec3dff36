package mapping

import (
	"errors"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxGiven is how many values the result of an expression may hold, beside those that stand in the body.
const maxGiven = 20_000

// native turns the result of an expression into what Decode gives: what the body holds as it is, and what the expression
// made value by value. An optional without a value is nil; a time is its text.
func native(v ref.Val) (any, error) {
	left := maxGiven
	return convert(v, &left, 0)
}

func convert(v ref.Val, left *int, depth int) (any, error) {
	if *left--; *left < 0 || depth > maxDepth {
		return nil, limitError("an expression gives more than can be taken")
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return uint64(v), nil
	case types.Double:
		return float64(v), nil
	case types.String:
		return string(v), nil
	case types.Timestamp:
		return v.Time.UTC().Format(time.RFC3339Nano), nil
	case *types.Optional:
		if !v.HasValue() {
			return nil, nil
		}
		return convert(v.GetValue(), left, depth)
	case traits.Lister:
		if inside, ok := v.Value().([]any); ok && !slices.ContainsFunc(inside, func(e any) bool { _, made := e.(ref.Val); return made }) {
			return inside, nil // a list of the body, and not one that + made
		}
		return convertList(v, left, depth)
	case traits.Mapper:
		if inside, ok := v.Value().(map[string]any); ok {
			return inside, nil
		}
		return convertMap(v, left, depth)
	}
	return nil, errors.New("an expression gives a value of type " + v.Type().TypeName() + ", which nothing can be made of")
}

func convertList(v traits.Lister, left *int, depth int) (any, error) {
	out := []any{}
	for it := v.Iterator(); it.HasNext() == types.True; {
		e, err := convert(it.Next(), left, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func convertMap(v traits.Mapper, left *int, depth int) (any, error) {
	out := map[string]any{}
	for it := v.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		name, ok := k.(types.String)
		if !ok {
			return nil, errors.New("an expression gives an object with a key that is no text")
		}
		e, err := convert(v.Get(k), left, depth+1)
		if err != nil {
			return nil, err
		}
		out[string(name)] = e
	}
	return out, nil
}

// absent tells whether a value stands for nothing: null, an empty list, or a text of white space only.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	}
	return false
}
