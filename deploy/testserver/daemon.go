package testserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// daemon is the part that all servers share: one process that can be stopped,
// killed, paused and started again in the same folder on the same port.
type daemon struct {
	name  string
	space *workspace
	argv  func() []string             // program and arguments; asked anew at every start
	env   []string                    // more environment for the process, as NAME=value
	ready func(context.Context) error // nil as soon as the server, and no stranger on its port, answers
	move  func() error                // chooses other ports when the first start finds them taken
	end   syscall.Signal              // asks the server to end in order
	limit time.Duration               // of one start; zero is startLimit

	dog *watchdog

	mu     sync.Mutex // held over a whole start or stop
	cmd    *exec.Cmd
	done   chan struct{} // closed once the process is reaped; nil before the first start
	closed bool
}

// errInUse is the start that failed because a port, or PostgreSQL's shared
// memory, still belongs to another process.
var errInUse = errors.New("in use")

// boot starts the server for the first time, with a watchdog beside it that
// ends it by the named signal. A start that fails leaves nothing behind.
func (d *daemon) boot(ctx context.Context, signal string) error {
	dog, err := newWatchdog(signal, d.space)
	if err != nil {
		d.space.discard()
		return err
	}
	d.dog = dog
	if err := d.start(ctx); err != nil {
		return errors.Join(err, d.Close())
	}
	d.move = nil // clients know the port from now on
	return nil
}

// start runs the server until it is ready. It tries again a few times when
// something is in use: on other ports at first, later on the same.
func (d *daemon) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.limit, startLimit))
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("%s was closed and can not be started again", d.name)
	}
	for try := 0; ; try++ {
		err := d.launch(ctx)
		if !errors.Is(err, errInUse) || try == 10 {
			return err
		}
		if d.move != nil {
			if err := d.move(); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// launch starts the process once and waits until it is ready or has ended.
func (d *daemon) launch(ctx context.Context) error {
	logFile, err := os.OpenFile(d.space.file("server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	defer func() { _ = logFile.Close() }() // the process has its own descriptor
	before, err := logFile.Seek(0, 2)
	if err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	// Not CommandContext: the server outlives the context that bounds its start.
	// Its output goes to a file; a child that held the test's own output open
	// would keep "go test" waiting.
	cmd := d.space.command(d.argv())
	cmd.Env = append(cmd.Env, d.env...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	done := make(chan struct{})
	d.cmd, d.done = cmd, done
	watched := d.dog.watch(cmd.Process.Pid)
	go func() {
		_ = cmd.Wait()     // how it ended is in its log
		_ = d.dog.forget() // fails only when the watchdog is gone, which start and Close notice
		close(done)
	}()
	if watched != nil {
		return errors.Join(watched, d.stopLocked(signalKill))
	}
	return d.await(ctx, done, before)
}

// await polls until the server is ready. An early end is reported with what the
// server wrote since the given offset of its log.
func (d *daemon) await(ctx context.Context, done <-chan struct{}, before int64) error {
	pause := 5 * time.Millisecond
	for {
		err := d.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return d.explain(before)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s did not answer in time: %w", d.name, err), d.stopLocked(signalKill))
		case <-time.After(pause):
			pause = min(2*pause, 100*time.Millisecond)
		}
	}
}

// explain makes an error of a server that ended during its start.
func (d *daemon) explain(before int64) error {
	text, err := os.ReadFile(d.space.file("server.log"))
	if err != nil {
		return fmt.Errorf("%s ended while starting, and its log can not be read: %w", d.name, err)
	}
	text = text[min(before, int64(len(text))):]
	tail := text[max(0, len(text)-2000):]
	// "Address already in use" is every server's word, "shared memory block is
	// still in use" PostgreSQL's after a kill.
	if bytes.Contains(text, []byte("in use")) {
		return fmt.Errorf("%s: something is %w:\n%s", d.name, errInUse, tail)
	}
	return fmt.Errorf("%s ended while starting; it wrote:\n%s", d.name, tail)
}

// command prepares a program that runs in the folder as the server's user, with
// a small environment: messages in English, nothing of the tests' own secrets.
func (w *workspace) command(argv []string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = w.path
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.path, "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = w.who.attributes()
	return cmd
}

// run runs a preparing program, e.g. initdb, to its end.
func (w *workspace) run(ctx context.Context, argv ...string) error {
	cmd := w.command(argv)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running %s: %w", argv[0], err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // Wait reports it
	defer stop()
	if err := cmd.Wait(); err != nil {
		text := output.Bytes()
		return fmt.Errorf("running %s: %w; it wrote:\n%s", argv[0], err, text[max(0, len(text)-2000):])
	}
	return nil
}
