//go:build !unix

package testserver

import (
	"errors"
	"syscall"
)

// account stands for the user a server runs as; these systems have no servers
// to run. The package builds here so that tests which import it build too.
type account struct{ uid int }

// unprivileged says that the servers need a Unix system.
func unprivileged(...string) (*account, error) {
	return nil, errors.New("test servers run on Linux, macOS and the BSDs only: run these tests there, or in a container")
}

func (a *account) attributes() *syscall.SysProcAttr { return nil }
func (a *account) own(string) error                 { return nil }
func (a *account) reaches(string) bool              { return true }

// The signals that servers are steered with. Those that this system lacks end
// the process.
const (
	signalTerm   = syscall.SIGTERM
	signalInt    = syscall.SIGINT
	signalKill   = syscall.SIGKILL
	signalPause  = syscall.SIGKILL
	signalResume = syscall.SIGKILL
)
