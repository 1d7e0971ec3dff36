package testserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// workspace is the folder that holds one server's files.
type workspace struct {
	path  string
	owned bool // made in the temporary folder by us, so removed by us
	who   *account
}

// newWorkspace makes the folder name inside parent, or a fresh temporary folder
// when parent is "". testing.TB.TempDir would not do: its parent is 0700, and a
// server that runs as nobody could not pass. The folder itself is 0700 and
// belongs to the server's user, because keys and password hashes lie in it.
func newWorkspace(parent, name string, who *account) (*workspace, error) {
	if parent != "" {
		return fixedWorkspace(parent, name, who)
	}
	// The shorter folders are second choices: one for a TMPDIR that the
	// server's user can not reach.
	for _, base := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if !who.reaches(base) {
			continue
		}
		path, err := os.MkdirTemp(base, "resetd-"+name+"-")
		if err != nil {
			continue
		}
		return &workspace{path: path, owned: true, who: who}, who.own(path)
	}
	return nil, fmt.Errorf("no temporary folder that the user of %s can reach: set TMPDIR to a folder whose parents all have mode 0755", name)
}

// fixedWorkspace makes parent/name. The folder stays after Close, for whoever
// wants to look at the server's files.
func fixedWorkspace(parent, name string, who *account) (*workspace, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, fmt.Errorf("folder for %s: %w", name, err)
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("folder for %s: %w", name, err)
	}
	if !who.reaches(parent) {
		return nil, fmt.Errorf("the user of %s can not reach %s: choose a folder whose parents all have mode 0755", name, parent)
	}
	path := filepath.Join(parent, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s exists already: give every server a folder of its own, or remove it: %w", path, err)
		}
		return nil, fmt.Errorf("folder for %s: %w", name, err)
	}
	return &workspace{path: path, who: who}, who.own(path)
}

// file returns the path of a file in the folder.
func (w *workspace) file(name string) string { return filepath.Join(w.path, name) }

// write stores a file that only the server's user (and root) may read.
func (w *workspace) write(name string, content []byte) error {
	if err := os.WriteFile(w.file(name), content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return w.who.own(w.file(name))
}

// mkdir makes a folder inside.
func (w *workspace) mkdir(name string) error {
	if err := os.Mkdir(w.file(name), 0o700); err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	return w.who.own(w.file(name))
}

// discard removes a temporary folder after a start that failed.
func (w *workspace) discard() {
	if w.owned {
		_ = os.RemoveAll(w.path) // nobody waits for it; the error that led here is told
	}
}
