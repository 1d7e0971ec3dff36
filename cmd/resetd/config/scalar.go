package config

import (
	"encoding"
	"reflect"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
	"github.com/resetd/resetd/schemas/signature"
)

// special reads the types that have a form of their own, and tells whether v is one.
func (d *decoder) special(path string, n ast.Node, v reflect.Value) bool {
	switch into := v.Addr().Interface().(type) {
	case *schemas.Secret:
		*into, _ = d.secret(path, n)
	case *signature.Key:
		d.key(path, n, into)
	case *Raw:
		*into = Raw{&raw{source: d.source, path: path, node: n, names: d.names}}
	case *Backend:
		d.backend(path, n, into)
	case *time.Duration:
		if text, ok := d.formed(path, n); ok {
			got, err := ParseDuration(text)
			if err != nil {
				d.fault(path, "%s", err)
			}
			*into = got
		}
	case *receiver.Tree:
		if err := into.UnmarshalYAML(n); err != nil {
			d.fault(path, "%s", err)
		}
	case encoding.TextUnmarshaler:
		if text, ok := d.formed(path, n); ok {
			if err := into.UnmarshalText([]byte(text)); err != nil {
				d.fault(path, "%s", err)
			}
		}
	default:
		return false
	}
	return true
}

// key reads a Standard Webhooks key, which is a secret with a form.
func (d *decoder) key(path string, n ast.Node, into *signature.Key) {
	secret, ok := d.secret(path, n)
	if !ok {
		return
	}
	got, err := parseKey(secret)
	if err != nil {
		d.fault(path, "%s", err)
	}
	*into = got
}

// text gives the text of a scalar, with its variables put in.
func (d *decoder) text(path string, n ast.Node) (string, bool) {
	var raw string
	switch n := n.(type) {
	case *ast.StringNode:
		raw = n.Value
	case *ast.LiteralNode:
		raw = n.Value.Value
	case *ast.NullNode:
		d.fault(path, "this is empty; write a value or remove the key")
		return "", false
	case ast.ScalarNode:
		if path == "listen" { // a bare port is a number, and quotes alone would not help
			d.fault(path, listenForm)
		} else {
			d.fault(path, "this must be text; write it in quotes")
		}
		return "", false
	default:
		d.fault(path, "this must be a text, not a list or a mapping")
		return "", false
	}
	out, missing := d.expand(raw, nil)
	for _, name := range missing {
		d.fault(path, "the environment variable %s is not set; set it, or write the value itself ($${ stands for a plain ${)", name)
	}
	return out, len(missing) == 0
}

// formed gives the text of a value that has a form of its own. A plain number passes, since the advice of the form (write
// 30s) is better than the advice to write it in quotes.
func (d *decoder) formed(path string, n ast.Node) (string, bool) {
	if number, ok := n.(*ast.IntegerNode); ok {
		return number.Token.Value, true
	}
	return d.text(path, n)
}

// scalar reads a text, a number or a truth value.
func (d *decoder) scalar(path string, n ast.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if text, ok := d.text(path, n); ok {
			v.SetString(text)
		}
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.fault(path, "this must be true or false, without quotes")
			return
		}
		v.SetBool(b.Value)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, ok := integer(n)
		if !ok || v.OverflowInt(i) {
			d.fault(path, "this must be a whole number, without quotes or unit")
			return
		}
		v.SetInt(i)
	default:
		// Only a type in this program can lead here, and its own test shows it.
		d.fault(path, "resetd cannot read a %s here; please report this", v.Type())
	}
}

func integer(n ast.Node) (int64, bool) {
	i, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch value := i.Value.(type) {
	case int64:
		return value, true
	case uint64:
		return int64(value), value < 1<<63
	}
	return 0, false
}
