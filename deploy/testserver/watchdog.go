package testserver

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
)

// watchdog ends a server when the process that started it is gone, however that
// process ended, and removes the server's temporary folder.
//
// It is a shell that reads a pipe. Only the test process holds the writing end
// (Go opens pipes close-on-exec), so the kernel closes it when the process
// dies, even by SIGKILL. Linux' parent death signal would be shorter, but it is
// tied to the thread that called fork, which the Go runtime may end at any
// time, and it can not remove a folder.
type watchdog struct {
	mu   sync.Mutex
	pipe io.WriteCloser
	cmd  *exec.Cmd
}

// The watchdog's script. $1 is the signal to end with, $2 the folder to remove
// or "". Postgres ends on QUIT and takes its shared memory with it; whatever is
// left after five seconds is killed. A process that has ended counts as alive
// for kill until its new parent reaps it, which the first process of some
// containers never does: hence the look at /proc, where there is one. The second rm is for children of a killed
// postgres that still write while the first one walks.
const watchdogScript = `
trap '' HUP INT TERM
lives() {
	kill -0 "$pid" || return 1
	if read -r _ _ state _ <"/proc/$pid/stat"; then [ "$state" != Z ]; fi
}
pid=
while read -r word value; do
	case $word in
	watch) pid=$value ;;
	forget) pid= ;;
	esac
done
if [ -n "$pid" ]; then
	kill -s "$1" "$pid" && kill -s CONT "$pid"
	n=0
	while [ "$n" -lt 50 ] && lives; do
		sleep 0.1
		n=$((n + 1))
	done
	kill -s KILL "$pid"
fi 2>/dev/null
[ -z "$2" ] || rm -rf -- "$2" 2>/dev/null || { sleep 1; rm -rf -- "$2"; }
`

// newWatchdog starts a watchdog that ends servers by the named signal and
// removes the folder, if there is one to remove.
func newWatchdog(signal string, space *workspace) (*watchdog, error) {
	remove := ""
	if space.owned {
		remove = space.path
	}
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "resetd-watchdog", signal, remove)
	cmd.Dir = "/"
	// Its own session: a signal meant for the test process must not end it. It
	// stays the caller's user, because it has to signal and remove.
	var self *account
	cmd.SysProcAttr = self.attributes()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	return &watchdog{pipe: pipe, cmd: cmd}, nil
}

// watch names the process to end.
func (w *watchdog) watch(pid int) error { return w.tell(fmt.Sprintf("watch %d\n", pid)) }

// forget says that the process has ended and its id may belong to another.
func (w *watchdog) forget() error { return w.tell("forget\n") }

func (w *watchdog) tell(line string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.pipe, line); err != nil {
		return fmt.Errorf("talking to the watchdog: %w", err)
	}
	return nil
}

// release lets the watchdog do its last work, removing the folder, and waits
// for it.
func (w *watchdog) release() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.pipe.Close(); err != nil {
		return fmt.Errorf("releasing the watchdog: %w", err)
	}
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("releasing the watchdog: %w", err)
	}
	return nil
}
