package ledger

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// crashDir names the ledger of the child process; it is empty in every other process.
const crashDir = "RESETD_LEDGER_CRASH_DIR"

// TestCrashChild is no test: it is the process that TestAKilledProcessLosesNothing kills. It tells what was acknowledged.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return
	}
	l, err := Open(context.Background(), Options{URL: "sqlite", Dir: dir, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for {
				e := accepted(time.Now(), "jdoe")
				if _, _, err := l.Create(context.Background(), delivery("soar", e.TaskID, e)); err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("ack %s 1\n", e.TaskID)
				if _, err := l.Transition(context.Background(), e.TaskID, step(claimed(2))); err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("ack %s 2\n", e.TaskID)
			}
		})
	}
	all.Wait()
}

func TestAKilledProcessLosesNothing(t *testing.T) {
	p := sqlitePlace(t)
	acknowledged := map[string]int{}
	for round := range 6 {
		for id, version := range runAndKill(t, p.options.Dir, time.Duration(150+70*round)*time.Millisecond) {
			acknowledged[id] = version
		}
	}
	if len(acknowledged) < 100 {
		t.Fatalf("only %d tasks were acknowledged: that proves little", len(acknowledged))
	}
	l := p.open(t)
	var answer string
	if err := l.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("the file is %s, %v", answer, err)
	}
	for id, version := range acknowledged {
		events, err := l.Events(t.Context(), id)
		if err != nil || len(events) < version {
			t.Fatalf("%s: %d events, %v; %d were acknowledged", id, len(events), err, version)
		}
		if task, err := l.Task(t.Context(), id); err != nil || !same(t, fold(t, events), task) {
			t.Fatalf("%s: %v: not the fold of its events", id, err)
		}
	}
	// What nobody was told of may be there or not, but whole.
	tasks := count(t, l, "tasks")
	if work, err := l.Backlog(t.Context()); err != nil || work["system-corp-ldap"] != tasks {
		t.Errorf("%d tasks have work %v, %v", tasks, work, err)
	}
	if page, err := l.Search(t.Context(), schemas.TaskQuery{Q: "jdoe"}); err != nil || len(page.Tasks) == 0 {
		t.Errorf("nothing is found: %v", err)
	}
	t.Logf("%d acknowledged, %d recorded", len(acknowledged), tasks)
}

// runAndKill gives what a child acknowledged before it was killed.
func runAndKill(t *testing.T, dir string, after time.Duration) map[string]int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	acknowledged := map[string]int{}
	var kill *time.Timer
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if kill == nil { // it has begun
			kill = time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		var id string
		var version int
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "ack %s %d", &id, &version); err != nil {
			t.Fatalf("the child says %q", line)
		}
		acknowledged[id] = version
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child was not killed: %v", err)
	}
	return acknowledged
}
