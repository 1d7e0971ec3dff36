package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// PID returns the id of the server's process; for PostgreSQL, of its first
// process. It is the last one's id when the server is stopped.
func (d *daemon) PID() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cmd.Process.Pid
}

// Dir returns the folder with the server's configuration, data and log
// (server.log). Only the server's user and root may read it.
func (d *daemon) Dir() string { return d.space.path }

// Stop ends the server in order and waits until it is gone. Data and port stay
// its own: Restart brings it back. Stopping a stopped server does nothing.
func (d *daemon) Stop() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopLocked(d.end)
}

// Kill ends the server by SIGKILL, as a power cut would from its point of view,
// except that what it had written reaches the disk. It waits until the process
// is gone. Restart brings the server back.
func (d *daemon) Kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopLocked(signalKill)
}

// Restart starts the server again in the same folder on the same port, ending
// it in order before if it runs. It returns once the server answers.
func (d *daemon) Restart() error {
	if err := d.Stop(); err != nil {
		return err
	}
	return d.start(context.Background())
}

// Pause freezes the server by SIGSTOP: the kernel still accepts connections for
// it, but nobody answers, which is how a hanging server looks to its clients.
// PostgreSQL's sessions are processes of their own and go on; only new
// connections hang.
//
// On Linux it returns once every thread stands still; the signal alone may
// leave one the time to answer another request.
func (d *daemon) Pause() error {
	if err := d.signal(signalPause); err != nil {
		return err
	}
	for deadline := time.Now().Add(clientLimit); !halted(d.PID()); {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s goes on although it was told to pause", d.name)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// halted reports whether all threads of a process are stopped. Systems without
// Linux' /proc can not tell; they are taken at their word.
func halted(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return true
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		// The state follows the program's name, which stands in parentheses
		// and may hold anything (proc(5)).
		state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(state) > 0 && state[0] != 'T' && state[0] != 'Z' {
			return false
		}
	}
	return true
}

// Resume ends a Pause.
func (d *daemon) Resume() error { return d.signal(signalResume) }

// Close stops the server for good and removes its folder, if that was a
// temporary one. The tests' own servers are closed by t.Cleanup.
func (d *daemon) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return errors.Join(d.stopLocked(d.end), d.dog.release())
}

func (d *daemon) signal(signal syscall.Signal) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.runs() {
		return fmt.Errorf("%s does not run: start it with Restart first", d.name)
	}
	if err := d.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("sending %v to %s: %w", signal, d.name, err)
	}
	return nil
}

// runs reports whether the process is alive. The caller holds mu.
func (d *daemon) runs() bool {
	if d.done == nil {
		return false
	}
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

// stopLocked sends the signal, wakes the process if it is paused, and waits;
// whatever still runs after ten seconds is killed. The caller holds mu.
func (d *daemon) stopLocked(signal syscall.Signal) error {
	if !d.runs() {
		return nil
	}
	for _, s := range []syscall.Signal{signal, signalResume} {
		if err := d.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stopping %s: %w", d.name, err)
		}
	}
	select {
	case <-d.done:
		return nil
	case <-time.After(10 * time.Second):
	}
	if err := d.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", d.name, err)
	}
	<-d.done
	return nil
}
