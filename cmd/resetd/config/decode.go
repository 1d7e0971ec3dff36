package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// source is what every value of a file is read with.
type source struct {
	file  string
	dir   string // absolute; where relative paths begin
	env   func(string) (string, bool)
	notes []Fault
}

// position is a place in the file, counted from 1.
type position struct{ line, column int }

// decoder walks a syntax tree and fills Go values. It goes on after a mistake.
type decoder struct {
	*source
	faults []Fault
	// places is where each path was found; the rules are checked afterwards and point back through it.
	places map[string]position
	// names is the value of the key name of each mapping, for better advice.
	names map[string]string
}

func newDecoder(s *source, base string, root ast.Node) *decoder {
	p := positionOf(root)
	return &decoder{source: s, places: map[string]position{base: p, "": p}, names: map[string]string{}}
}

// fault notes a mistake at a path, or at the nearest place above it when the path is not in the file.
func (d *decoder) fault(path, format string, args ...any) {
	p := d.placeOf(path)
	d.faults = append(d.faults, Fault{File: d.file, Line: p.line, Column: p.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// warn notes what works but should not be so.
func (d *decoder) warn(path, format string, args ...any) {
	p := d.placeOf(path)
	d.notes = append(d.notes, Fault{File: d.file, Line: p.line, Column: p.column, Path: path, Text: fmt.Sprintf(format, args...)})
}

func (d *decoder) placeOf(path string) position {
	for {
		if p, ok := d.places[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// value reads a node into v. A node that is nil or null leaves v as it is.
func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	if n == nil {
		return
	}
	d.places[path] = positionOf(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		d.fault(path, "anchors (&) and aliases (*) are not read; write the value out, and quote a text that begins so")
		return
	case *ast.TagNode:
		d.fault(path, "tags (!) are not read; remove it, and quote a text that begins so")
		return
	}
	if d.special(path, n, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.Type() == ast.NullType {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, n, v.Elem())
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		d.list(path, n, v)
	case reflect.Map:
		d.table(path, n, v)
	default:
		d.scalar(path, n, v)
	}
}

// structure reads a mapping whose keys are the yaml tags of a struct.
func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	entries, ok := d.mapping(path, n)
	if !ok {
		return
	}
	known := fieldsOf(v.Type())
	for _, e := range entries {
		if e.key == "name" {
			if s, ok := e.value.(*ast.StringNode); ok && schemas.NameForm.MatchString(s.Value) {
				d.names[path] = s.Value
			}
		}
	}
	for _, e := range entries {
		at := join(path, e.key)
		if f, ok := find(known, e.key); ok {
			d.value(at, e.value, v.FieldByIndex(f.index))
			if f.file {
				d.anchor(v.FieldByIndex(f.index))
			}
			continue
		}
		d.places[at] = e.at
		d.fault(at, "this key is unknown; %s", advise(e.key, known, v.Type()))
	}
}

// anchor makes a path absolute that is relative to the configuration file.
func (d *decoder) anchor(v reflect.Value) {
	if s := v.String(); s != "" && !filepath.IsAbs(s) {
		v.SetString(filepath.Join(d.dir, s))
	}
}

// list reads a sequence.
func (d *decoder) list(path string, n ast.Node, v reflect.Value) {
	if n.Type() == ast.NullType {
		return
	}
	if v.Type() == reflect.TypeFor[sender.Expressions]() {
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			d.value(path, n, v.Index(0))
			return
		}
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok && v.Type() == reflect.TypeFor[sender.Expressions]() {
		d.fault(path, "this must be a text in quotes, or a list of texts")
		return
	}
	if !ok {
		d.fault(path, "this must be a list; write [ ] around it, or one line with - for each entry")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.Type() == ast.NullType {
			d.places[at] = positionOf(item)
			d.fault(at, "this entry is empty; fill it or remove it")
			continue
		}
		d.value(at, item, out.Index(i))
	}
	v.Set(out)
}

// table reads a mapping whose keys are free.
func (d *decoder) table(path string, n ast.Node, v reflect.Value) {
	entries, ok := d.mapping(path, n)
	if !ok {
		return
	}
	out := reflect.MakeMap(v.Type())
	for _, e := range entries {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, e.key), e.value, item)
		out.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

// entry is one line of a mapping.
type entry struct {
	key   string
	at    position
	value ast.Node
}

// mapping gives the entries of a mapping, each key once. A null is a mapping whose lines are all commented out.
func (d *decoder) mapping(path string, n ast.Node) ([]entry, bool) {
	if n.Type() == ast.NullType {
		return nil, true
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		d.fault(path, "this must hold keys; write KEY: VALUE lines below it, indented by two spaces")
		return nil, false
	}
	var out []entry
	first := map[string]position{}
	for it := m.MapRange(); it.Next(); {
		tk := it.Key().GetToken()
		e := entry{tk.Value, position{tk.Position.Line, tk.Position.Column}, it.Value()}
		if !keyForm.MatchString(e.key) {
			// Whatever this is, a secret in the wrong line perhaps, it is not repeated.
			d.places[join(path, "?")] = e.at
			d.fault(join(path, "?"), "a key is a plain word of at most 40 letters, digits, - and _; check the indentation and the quotes of this line")
			continue
		}
		at := join(path, e.key)
		if it.Key().Type() != ast.StringType {
			d.places[at] = e.at
			d.fault(at, "a key must be plain text; merge keys (<<), complex keys (?) and numbers are not read")
			continue
		}
		if p, twice := first[e.key]; twice {
			d.faults = append(d.faults, Fault{d.file, e.at.line, e.at.column, at,
				fmt.Sprintf("this key stands in line %d already; keep one of the two", p.line)})
			continue
		}
		first[e.key] = e.at
		out = append(out, e)
	}
	return out, true
}

// keyForm is the form of every key that is told back to a person.
var keyForm = regexp.MustCompile(`^[A-Za-z0-9_<-]{1,40}$`)

// positionOf gives where a node begins. The library puts a mapping's own token at its first colon.
func positionOf(n ast.Node) position {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return position{1, 1}
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		p := m.Values[0].Key.GetToken().Position
		return position{p.Line, p.Column}
	}
	p := n.GetToken().Position
	return position{p.Line, p.Column}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
