package receiver

import (
	"errors"
	"fmt"
	"math"

	"github.com/goccy/go-yaml/ast"
)

// maxDepth is how deep a tree may be: deeper than any receiver asks for.
const maxDepth = 24

// Tree is a value that becomes JSON: nil, bool, int64, float64, string, []any, or map[string]any.
type Tree struct{ Value any }

// Empty tells whether there is nothing.
func (t Tree) Empty() bool { return t.Value == nil }

// UnmarshalYAML reads a node of a YAML file as the JSON value that it shows. What JSON cannot say, and what would be read
// in two ways (anchors, tags, a key that occurs twice), is an error; it names the line, and quotes nothing but keys.
func (t *Tree) UnmarshalYAML(n ast.Node) error {
	v, err := read(n, 0)
	if err == nil {
		t.Value = v
	}
	return err
}

func read(n ast.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, at(n, fmt.Sprintf("this lies deeper than %d levels", maxDepth))
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.IntegerNode:
		return integer(n)
	case *ast.FloatNode:
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			return nil, at(n, "JSON has no such number")
		}
		return n.Value, nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.SequenceNode:
		out := make([]any, len(n.Values))
		for i, item := range n.Values {
			var err error
			if out[i], err = read(item, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case ast.MapNode:
		return mapping(n, depth)
	}
	return nil, at(n, "this is no text, number, true, false, list or mapping; anchors (&), aliases (*) and tags (!) are not read")
}

func integer(n *ast.IntegerNode) (any, error) {
	switch v := n.Value.(type) {
	case int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	}
	return nil, at(n, "this number is too large; write it in quotes if it is a name")
}

func mapping(m ast.MapNode, depth int) (any, error) {
	out := map[string]any{}
	for it := m.MapRange(); it.Next(); {
		key, ok := it.Key().(*ast.StringNode)
		if !ok {
			return nil, at(it.Key(), "a key must be text; write it in quotes")
		}
		if _, twice := out[key.Value]; twice {
			return nil, at(key, fmt.Sprintf("the key %q occurs twice; keep one", key.Value))
		}
		v, err := read(it.Value(), depth+1)
		if err != nil {
			return nil, err
		}
		out[key.Value] = v
	}
	return out, nil
}

func at(n ast.Node, text string) error {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return errors.New(text)
	}
	return fmt.Errorf("line %d: %s", n.GetToken().Position.Line, text)
}
