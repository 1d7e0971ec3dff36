package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lock keeps a second process from writing to the same file. The operating system gives the lock back when the process
// ends, however it ends. The file says who holds it, for the error of the other.
func lock(dir string) (unlock func() error, err error) {
	path := filepath.Join(dir, "ledger.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger: open the lock file: %w", err)
	}
	// The lock is taken before the file is written to: whoever does not get it must not overwrite the name of the holder.
	free, err := lockFile(f)
	if err == nil && free {
		if err = writePID(f); err == nil {
			return f.Close, nil
		}
	}
	_ = f.Close() // the error before it counts
	if err != nil {
		return nil, fmt.Errorf("ledger: lock %s: %w", path, err)
	}
	holder := "another process"
	if b, err := os.ReadFile(path); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			holder = "the process " + strconv.Itoa(pid)
		}
	}
	return nil, fmt.Errorf("ledger: %s writes to the ledger in %s; stop it, set another data_dir, or use PostgreSQL, which several processes can share", holder, dir)
}

// writePID says in the file who holds the lock.
func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
