package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the configuration file in bytes: beyond it somebody named the wrong file.
const maxFile = 4 << 20

// Known is what exists in this build of resetd. A nil list is not checked against.
type Known struct {
	Kinds   []string // of systems
	Presets []string // of sources
	Schemes []string // of signatures
}

// Load reads a configuration file. Its error is [Faults], or one error that says why the file cannot be read at all.
// Beside Faults it gives the configuration as far as it could be read, for those who need only a part of it; beside
// any other error it gives nil. env looks a variable up, as os.LookupEnv does.
func Load(file string, known Known, env func(string) (string, bool)) (*Config, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no configuration file %s; name another with -c, or write one with: resetd init", file)
	case err == nil && info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes and cannot be a configuration; name another file with -c", file, info.Size())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w; check the path and its permissions", err)
	}
	return Parse(file, text, known, env)
}

// Parse does what Load does for a text at hand. The file's name stands in the faults, and relative paths begin at its
// folder.
func Parse(file string, text []byte, known Known, env func(string) (string, bool)) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("the folder of %s cannot be told: %w", file, err)
	}
	src := &source{file: file, dir: dir, env: env}
	body, fault := parse(text)
	if fault != nil {
		fault.File = file
		return nil, Faults{*fault}
	}
	c := &Config{File: file, notes: &src.notes}
	d := newDecoder(src, "", body)
	c.read = d
	d.value("", body, reflect.ValueOf(c).Elem())
	d.fillDefaults(c)
	d.rules("", c)
	d.check(c, known)
	if len(d.faults) > 0 {
		return c, sorted(d.faults)
	}
	return c, nil
}

// parse gives the one document of a file; nil for a file that holds none.
func parse(text []byte) (ast.Node, *Fault) {
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		fault := &Fault{Text: "this is not YAML; check the lines before it"}
		// Only the message is used: the library's full text quotes the lines around, and with them a secret.
		if e, ok := errors.AsType[yaml.Error](err); ok {
			fault.Text = "this is not YAML: " + e.GetMessage()
			if tk := e.GetToken(); tk != nil {
				fault.Line, fault.Column = tk.Position.Line, tk.Position.Column
			}
			switch {
			case tabbed(text, fault.Line):
				fault.Text = "there is a tab before this line's text, which YAML does not take; indent with spaces"
			case bareVariable(text, fault.Line):
				fault.Text = `inside [ ] and { } a variable needs quotes; write "${NAME}"`
			case strings.Contains(fault.Text, "not allowed in this context"): // what the library says of a line in a wrong column
				fault.Text += "; check the indentation of this line and the next: the keys of a mapping, and the - of a list, begin in the same column"
			}
		}
		return nil, fault
	}
	var body ast.Node
	for i, doc := range tree.Docs {
		if i > 0 {
			p := positionOf(doc.Body)
			return nil, &Fault{Line: p.line, Column: p.column, Text: "a second document begins here; one file holds one configuration, so remove the line ---"}
		}
		body = doc.Body
	}
	return body, nil
}

// bareVariable tells whether a line holds a ${…} without quotes in a flow collection, the commonest slip of all.
func bareVariable(text []byte, line int) bool {
	before, _, ok := strings.Cut(lineOf(text, line), "${")
	return ok && strings.ContainsAny(before, "[{") && !strings.HasSuffix(before, `"`) && !strings.HasSuffix(before, `'`)
}

// tabbed tells whether a line is indented with a tab.
func tabbed(text []byte, line int) bool {
	s := lineOf(text, line)
	return strings.Contains(s[:len(s)-len(strings.TrimLeft(s, " \t"))], "\t")
}

// lineOf gives a line, counted from 1; nothing when there is none.
func lineOf(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return lines[line-1]
}
