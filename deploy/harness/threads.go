package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Threads is the processor time that each thread of a process has used so far, by thread id.
type Threads map[string]time.Duration

// ThreadsOf reads /proc/PID/task/*/schedstat, which counts in nanoseconds where Process.CPU counts in ticks of 10 ms
// (Linux, Documentation/scheduler/sched-stats.rst).
func ThreadsOf(pid int) (Threads, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(fmt.Errorf("process %d has no readable schedstat: it is gone, or the kernel keeps none", pid), err)
	}
	out := Threads{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has just ended
		}
		fields := strings.Fields(string(text))
		if err != nil || len(fields) == 0 {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		ns, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		out[filepath.Base(filepath.Dir(file))] = time.Duration(ns)
	}
	return out, nil
}

// Since gives the time used after an earlier reading. What a thread used that has ended in between is not in it.
func (t Threads) Since(earlier Threads) time.Duration {
	var sum time.Duration
	for id, used := range t {
		sum += used - earlier[id]
	}
	return sum
}
