package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a running resetd.
type Process struct {
	site *Site
	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs the binary with serve; its output is appended to log. It returns at once: see Ready.
func (s *Site) Start(binary string, log io.Writer) (*Process, error) {
	cmd := exec.Command(binary, "serve", "-c", s.ConfigFile())
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	cmd.Env = append(os.Environ(), s.Env...)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start resetd: %w", err)
	}
	p := &Process{site: s, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is told by ProcessState
		close(p.done)
	}()
	return p, nil
}

// Ready waits until /readyz answers 200.
func (p *Process) Ready(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: p.site.TLS}}
	defer client.CloseIdleConnections()
	for {
		answer, err := client.Get(p.site.URL() + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("resetd ended by itself: %s", p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("resetd did not become ready: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Kill ends it by SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.done
}

// Stop ends it by SIGTERM and gives an error if it does not end in order within a minute.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.Kill()
		return errors.New("resetd did not stop within a minute of SIGTERM")
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("resetd ended with %s", p.cmd.ProcessState)
	}
	return nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// RSS gives the resident memory in bytes (Linux).
func (p *Process) RSS() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// CPU gives the processor time used so far (Linux; the kernel counts in ticks of 10 ms).
func (p *Process) CPU() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}
