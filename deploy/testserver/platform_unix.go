//go:build unix

package testserver

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user a server runs as. A nil account is the user who runs the
// tests.
type account struct{ uid, gid int }

// unprivileged returns the first of the named users when the caller is root,
// because slapd should not and initdb will not run as root; nil otherwise.
func unprivileged(names ...string) (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &account{uid: uid, gid: gid}, nil
		}
	}
	return nil, fmt.Errorf("test servers do not run as root, and none of the users %v exists: add one, or run the tests as an ordinary user", names)
}

// attributes puts a process into a session of its own, so that an interrupt
// typed at a terminal reaches the test process alone, which then stops its
// servers in order.
func (a *account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}

// own gives a folder and everything below it to the account.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// reaches reports whether the account may pass through every folder on the way
// to dir, dir included. Root's home is 0700 on most machines, and a TMPDIR
// inside it would hide the files from the servers.
func (a *account) reaches(dir string) bool {
	if a == nil {
		return true
	}
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		status, ok := info.Sys().(*syscall.Stat_t)
		owned := ok && int(status.Uid) == a.uid && info.Mode()&0o100 != 0
		if !owned && info.Mode()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// The signals that servers are steered with.
const (
	signalTerm   = syscall.SIGTERM // slapd, redis: end in order
	signalInt    = syscall.SIGINT  // postgres: "fast" shutdown, does not wait for clients
	signalKill   = syscall.SIGKILL
	signalPause  = syscall.SIGSTOP
	signalResume = syscall.SIGCONT
)
