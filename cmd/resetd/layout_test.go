package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module     = "github.com/resetd/resetd"
	testServer = "deploy/testserver"
	maxLines   = 400
)

var wings = []string{"handlers", "jobs", "connectors"}

// refusal says why a package must not import another one of this module, both named relative to the module; empty means
// that it may. The rules are those of the house: schemas on the ground, three wings that do not know each other, cmd on
// top, deploy beside it.
func refusal(from, to string, test bool) string {
	wing, _, _ := strings.Cut(from, "/")
	other, _, _ := strings.Cut(to, "/")
	switch {
	case from == to: // an external test of the package itself
		return ""
	case other == "cmd" && wing != "cmd":
		return "nothing imports cmd; let cmd hand in what is needed"
	case wing == "deploy":
		return ""
	case other == "deploy" && !test:
		return "deploy is for tests and tools; the program runs without it"
	case other == "deploy" && wing != "cmd" && !inside(to, testServer):
		return "tests below cmd may import " + testServer + " only"
	case other == "deploy":
		return ""
	case wing == "schemas" && other != "schemas":
		return "schemas imports nothing of ours"
	case from == "schemas":
		return "schemas imports nothing of ours, not even what lies in its folder"
	case other == "schemas" && wing != "schemas":
		return ""
	case from == "cmd/resetd":
		return ""
	case wing == "cmd":
		return "what lies below cmd/resetd imports schemas only; let package main hand in the rest"
	case wing != other:
		return "the wings do not know each other; declare what is needed as an interface, and let cmd tie"
	case inside(from, to) || inside(to, from):
		return "" // parent and child; the compiler refuses circles
	case inside(to, wing+"/internal"):
		return "" // what neighbours in a wing share, and nobody outside of it sees
	case from == "connectors/builtin":
		return "" // the list of all kinds
	case test && strings.HasSuffix(to, "/conformance"):
		return ""
	}
	return "neighbours in a wing do not know each other; move what both need into their parent, or into internal below it"
}

// inside tells whether a package is another one or lies below it.
func inside(path, above string) bool { return path == above || strings.HasPrefix(path, above+"/") }

func TestTheImportRuleFindsEveryOffence(t *testing.T) {
	for line, allowed := range map[string]bool{
		"schemas → schemas/signature":                      false,
		"schemas/signature → schemas":                      true,
		"schemas/signature → jobs":                         false,
		"schemas → handlers":                               false,
		"handlers → schemas":                               true,
		"handlers → schemas/signature":                     true,
		"handlers → handlers/source":                       true,
		"handlers/source → handlers":                       true,
		"handlers/console → handlers/source":               false,
		"handlers → jobs":                                  false,
		"jobs → connectors":                                false,
		"jobs/ledger → jobs":                               true,
		"jobs/queue → jobs/ledger":                         false,
		"connectors → jobs":                                false,
		"connectors/openldap → connectors":                 true,
		"connectors/openldap → connectors/entra":           false,
		"connectors/builtin → connectors/openldap":         true,
		"connectors/builtin → jobs":                        false,
		"connectors/openldap → connectors/internal/rest":   true,
		"connectors/internal/rest → connectors":            true,
		"connectors/internal/rest → connectors/openldap":   false,
		"jobs → connectors/internal/rest":                  false,
		"connectors/openldap → connectors/conformance":     false,
		"connectors/openldap test→ connectors/conformance": true,
		"connectors/openldap test→ connectors/entra":       false,
		"connectors/openldap → deploy/testserver":          false,
		"connectors/openldap test→ deploy/testserver":      true,
		"connectors/openldap test→ deploy/harness":         false,
		"connectors/openldap test→ jobs":                   false,
		"jobs → cmd/resetd/config":                         false,
		"jobs test→ cmd/resetd/config":                     false,
		"deploy/bench → cmd/resetd/config":                 false,
		"deploy/bench → jobs/ledger":                       true,
		"deploy/harness → deploy/testserver":               true,
		"cmd/resetd → jobs":                                true,
		"cmd/resetd → deploy/harness":                      false,
		"cmd/resetd test→ deploy/harness":                  true,
		"cmd/resetd → cmd/resetd/config":                   true,
		"cmd/resetd/config → schemas":                      true,
		"cmd/resetd/config → connectors":                   false,
		"cmd/resetd/config test→ connectors":               false,
	} {
		from, to, _ := strings.Cut(line, " → ")
		test := false
		if to == "" {
			from, to, test = strings.Cut(line, " test→ ")
		}
		if why := refusal(from, to, test); (why == "") != allowed {
			t.Errorf("%s: %q", line, why)
		}
	}
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

func TestThePackagesKeepTheImportRule(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(out); ; {
		var p struct{ ImportPath, Imports, TestImports, XTestImports any }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(fmt.Sprint(p.ImportPath), module+"/")
		seen[from] = true
		for _, list := range []struct {
			imports any
			test    bool
		}{{p.Imports, false}, {p.TestImports, true}, {p.XTestImports, true}} {
			all, _ := list.imports.([]any)
			for _, one := range all {
				to, ours := strings.CutPrefix(fmt.Sprint(one), module+"/")
				if why := refusal(from, to, list.test); ours && why != "" {
					t.Errorf("%s must not import %s: %s", from, to, why)
				}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, p := range append([]string{"schemas", "cmd/resetd"}, wings...) {
		if !seen[p] {
			t.Errorf("the package %s is not there; the test looked in the wrong place", p)
		}
	}
}

func TestTheTopLevelHoldsWhatItShouldAndNothingElse(t *testing.T) {
	dir := root(t)
	want := []string{"cmd", "handlers", "jobs", "connectors", "schemas", "deploy", "go.mod", "go.sum", "README.md", "LICENSE", "Makefile", "CHANGELOG.md"}
	ignored, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var built []string // what a build or a run leaves behind and no commit takes
	for line := range strings.Lines(string(ignored)) {
		built = append(built, strings.Trim(strings.TrimSpace(line), "/"))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
		if !slices.Contains(want, e.Name()) && !slices.Contains(built, e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s does not belong to the top level; move it into one of %v", e.Name(), want[:6])
		}
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("%s is missing at the top level", name)
		}
	}
}

// TestFilesAreShortAndHaveNoHiddenStart reads every file of code: none is longer than 400 lines, none has an init
// function, and none lives in a package that is named after nothing.
func TestFilesAreShortAndHaveNoHiddenStart(t *testing.T) {
	dir := root(t)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".sh", ".sql", ".js", ".css"}, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		name, _ := filepath.Rel(dir, path)
		if n := strings.Count(string(text), "\n"); n > maxLines {
			t.Errorf("%s has %d lines, %d are allowed; give each idea a file of its own", name, n, maxLines)
		}
		if filepath.Ext(path) == ".go" {
			for _, fault := range codeFaults(t, name, text) {
				t.Errorf("%s: %s", name, fault)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files were read; the test looked in the wrong place", files)
	}
}

func codeFaults(t *testing.T, name string, text []byte) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	if slices.Contains([]string{"util", "utils", "common", "helpers", "misc"}, strings.TrimSuffix(f.Name.Name, "_test")) {
		out = append(out, "a package named "+f.Name.Name+" says nothing; name the idea")
	}
	tagged := strings.HasPrefix(string(text), "//go:build ") // a build for a purpose of its own, such as measuring
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && !tagged {
			out = append(out, "init functions run unseen; call what is needed from main")
		}
	}
	return out
}

func TestCodeFaultsAreFound(t *testing.T) {
	for text, want := range map[string]int{
		"package utils\n":                                 1,
		"package a\nfunc init() {}\n":                     1,
		"package a\ntype b int\nfunc (b) init() {}\n":     0,
		"//go:build bench\n\npackage a\nfunc init() {}\n": 0,
		"package main\nfunc main() {}\n":                  0,
		"package helpers_test\nfunc init() {}\n":          2,
		"package a\nfunc":                                 1,
	} {
		if got := codeFaults(t, "a.go", []byte(text)); len(got) != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
