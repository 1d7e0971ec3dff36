package builtin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/builtin"
	"github.com/resetd/resetd/schemas"
)

// notKinds are the folders beside this one that hold no kind.
var notKinds = []string{"builtin", "conformance", "internal"}

// folders gives the folders of all kinds there are.
func folders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notKinds, e.Name()) {
			out = append(out, e.Name())
		}
	}
	if len(out) == 0 {
		t.Fatal("no folder of a kind was found")
	}
	return out
}

func TestEveryFolderIsAKindAndEveryKindAFolder(t *testing.T) {
	var names []string
	for _, k := range builtin.Kinds() {
		names = append(names, k.Name)
		if found, ok := builtin.Find(k.Name); !ok || found.Name != k.Name {
			t.Errorf("Find does not find %s", k.Name)
		}
	}
	if got := folders(t); !slices.Equal(got, names) {
		t.Errorf("the folders are %v and the kinds %v; a kind is one folder of its name and one line in Kinds, in alphabetical order", got, names)
	}
	if _, ok := builtin.Find("teapot"); ok {
		t.Error("Find finds what is not there")
	}
}

func TestEveryKindRunsTheConformanceSuite(t *testing.T) {
	for _, folder := range folders(t) {
		files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(f string) bool { return callsSuite(t, f) }) {
			t.Errorf("connectors/%s: no test calls conformance.Run", folder)
		}
	}
}

// callsSuite tells whether a Test function of the file calls conformance.Run.
func callsSuite(t *testing.T, file string) (found bool) {
	t.Helper()
	for _, d := range parse(t, file).Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Run" {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "conformance" {
						found = true
					}
				}
			}
			return true
		})
	}
	return found
}

func TestEveryExampleOpens(t *testing.T) {
	for _, k := range builtin.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			comment := configComment(t, filepath.Join("..", k.Name))
			opens(t, k, k.Example)
			if comment != strings.TrimSpace(k.Example) {
				t.Errorf("the example in the comment of Config is not the example of the kind:\n%s\n---\n%s", comment, k.Example)
			}
		})
	}
}

// The README of a kind shows a whole entry of systems:, which people copy.
func TestEveryReadmesSystemOpens(t *testing.T) {
	for _, k := range builtin.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", k.Name, "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			_, block, found := strings.Cut(string(text), "```yaml\nsystems:\n")
			if !found {
				t.Fatal("the README has no yaml block that begins with systems:")
			}
			block, _, _ = strings.Cut(block, "```")
			var file struct {
				Systems []struct {
					Name        string         `yaml:"name"`
					Kind        string         `yaml:"kind"`
					Enforcement string         `yaml:"enforcement"`
					Rate        string         `yaml:"rate"`
					Config      map[string]any `yaml:"config"`
				} `yaml:"systems"`
			}
			if err := yaml.UnmarshalWithOptions([]byte("systems:\n"+block), &file, yaml.Strict()); err != nil {
				t.Fatal(yaml.FormatError(err, false, true))
			}
			if len(file.Systems) == 0 || file.Systems[0].Kind != k.Name || file.Systems[0].Enforcement == "" {
				t.Fatalf("the README shows %+v", file.Systems)
			}
			config, err := yaml.Marshal(file.Systems[0].Config)
			if err != nil {
				t.Fatal(err)
			}
			opens(t, k, string(config))
		})
	}
}

// opens reads an example and makes its connector, in a folder with the files that examples name. The test is in that
// folder from then on.
func opens(t *testing.T, k connectors.Kind, example string) {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join("testdata", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("ca.pem", pem, 0o600); err != nil {
		t.Fatal(err)
	}
	writeServiceAccount(t, example)
	decode := func(text string) func(any) error {
		return func(into any) error { return yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict()) }
	}
	c, secrets, err := k.Open(connectors.Env{System: "example"}, decode(example))
	if err != nil {
		t.Fatalf("the example does not open: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if len(secrets) == 0 || slices.ContainsFunc(secrets, schemas.Secret.Empty) {
		t.Errorf("the example has %d secrets, or an empty one", len(secrets))
	}
	for what, text := range map[string]string{"an unknown key": example + "\nteapot: 1\n", "empty settings": "{}"} {
		if _, _, err := k.Open(connectors.Env{}, decode(text)); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

// configComment gives the indented block in the comment of the type Config.
func configComment(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, d := range parse(t, file).Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE || g.Specs[0].(*ast.TypeSpec).Name.Name != "Config" {
				continue
			}
			var lines []string
			for line := range strings.Lines(g.Doc.Text()) {
				if text, indented := strings.CutPrefix(line, "\t"); indented {
					lines = append(lines, text)
				}
			}
			return strings.TrimSpace(strings.Join(lines, ""))
		}
	}
	t.Fatalf("%s has no type Config", folder)
	return ""
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
