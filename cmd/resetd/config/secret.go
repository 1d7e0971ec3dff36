package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// maxSecret bounds a secret file in bytes. Certificates with their keys are the largest that occur.
const maxSecret = 64 << 10

// ErrLiteral marks a secret that was written out where only a reference may stand.
var ErrLiteral = errors.New("a secret must not be written out here")

// ReadSecret reads ${NAME} or file:PATH, where PATH is relative to dir. Line breaks at the end of a file are cut off.
// The warning is not empty when others can read the file. The error says what to do, wraps ErrLiteral for a text of
// another form, and quotes nothing but the variable or the path.
func ReadSecret(ref, dir string, env func(string) (string, bool)) (s schemas.Secret, warning string, err error) {
	if path, ok := strings.CutPrefix(ref, "file:"); ok {
		return readSecretFile(path, dir)
	}
	m := variable.FindStringSubmatch(ref)
	if m == nil || m[0] != ref || strings.HasPrefix(ref, "$$") {
		return s, "", ErrLiteral
	}
	value, ok := env(m[1])
	switch {
	case !ok:
		return s, "", fmt.Errorf("the environment variable %s is not set; set it, or write file:PATH", m[1])
	case value == "":
		return s, "", fmt.Errorf("the environment variable %s is empty; set it to the secret", m[1])
	}
	return schemas.NewSecret(value), "", nil
}

func readSecretFile(path, dir string) (s schemas.Secret, warning string, err error) {
	if path == "" {
		return s, "", errors.New("file: names no file; write file:PATH")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, "", fmt.Errorf("there is no file %s; make it, or correct the path", path)
	case err != nil:
		return s, "", fmt.Errorf("the file cannot be opened: %w; let the user that runs resetd read it", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return s, "", fmt.Errorf("%s is a folder; name a file in it", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return s, "", fmt.Errorf("the file cannot be read: %w", err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	switch {
	case len(text) > maxSecret:
		return s, "", fmt.Errorf("%s has more than %d bytes and cannot be a secret; correct the path", path, maxSecret)
	case value == "":
		return s, "", fmt.Errorf("the file %s is empty; write the secret into it", path)
	}
	// A pipe or a terminal belongs to whoever made it; only a regular file lies around.
	if info.Mode().IsRegular() && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		warning = fmt.Sprintf("others on this machine can read %s (mode %04o); run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return schemas.NewSecret(value), warning, nil
}

// secret reads a secret by the rule of ReadSecret.
func (d *decoder) secret(path string, n ast.Node) (schemas.Secret, bool) {
	d.places[path] = positionOf(n)
	text, ok := n.(*ast.StringNode)
	if !ok {
		if n.Type() == ast.NullType {
			d.fault(path, "this secret is empty; write %s or file:PATH", d.variableFor(path))
		} else {
			d.fault(path, "this must be %s or file:PATH", d.variableFor(path))
		}
		return schemas.Secret{}, false
	}
	s, warning, err := ReadSecret(text.Value, d.dir, d.env)
	switch {
	case text.Value == "":
		d.fault(path, "this secret is empty; write %s or file:PATH", d.variableFor(path))
	case errors.Is(err, ErrLiteral):
		d.fault(path, "a secret must not stand in this file; write %s or file:PATH instead, and change the secret if others have seen the file", d.variableFor(path))
	case err != nil:
		d.fault(path, "%s", err)
	case warning != "":
		d.warn(path, "%s", warning)
	}
	return s, err == nil
}

// variableFor makes up a name for the variable of a secret: the name of the source, system or token, and the key.
func (d *decoder) variableFor(path string) string {
	owner, rest := "", path
	for above := path; above != ""; above = above[:max(0, strings.LastIndexAny(above, ".["))] {
		if name, ok := d.names[above]; ok {
			owner, rest = name, strings.TrimPrefix(path, above)
			break
		}
	}
	rest = indexes.ReplaceAllString(rest, "")
	rest = strings.NewReplacer(".verify.", ".", ".config.", ".", "keys", "key").Replace("." + strings.TrimPrefix(rest, "."))
	words := strings.FieldsFunc(owner+"."+rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return "${" + strings.ToUpper(strings.Join(words, "_")) + "}"
}

// parseKey reads a Standard Webhooks key and gives the detail alone on error: it holds no part of the key.
func parseKey(s schemas.Secret) (signature.Key, error) {
	k, err := signature.ParseKey(s.Reveal())
	if e, ok := errors.AsType[*signature.Error](err); ok {
		return k, errors.New(e.Detail)
	}
	return k, err
}
