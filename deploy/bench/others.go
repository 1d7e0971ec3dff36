package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/resetd/resetd/deploy/harness"
)

// tick is the unit of /proc/stat (USER_HZ, the same on every Linux that Go runs on).
const tick = 10 * time.Millisecond

// machineBusy gives the processor time that everything on the machine has used, and what the hypervisor took away.
func machineBusy() (time.Duration, error) {
	line, _, _ := strings.Cut(fileText("/proc/stat"), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, errors.New("/proc/stat has an unknown form")
	}
	var sum time.Duration
	for i, text := range fields[1:9] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		if i != 3 && i != 4 { // idle, and waiting for a disk
			sum += time.Duration(n) * tick
		}
	}
	return sum, nil
}

// ownUse gives the processor time of this process and of others that belong to a run.
func ownUse(pids ...int) (time.Duration, error) {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0, err
	}
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, pid := range pids {
		threads, err := harness.ThreadsOf(pid)
		if err != nil {
			return 0, err
		}
		sum += threads.Since(nil)
	}
	return sum, nil
}

// calm waits until the rest of the machine uses less than a tenth of a processor, at most as long as the settings say.
func (b *bench) calm(ctx context.Context) error {
	const look = 500 * time.Millisecond
	deadline := time.Now().Add(b.wait)
	told := false
	for time.Now().Before(deadline) && ctx.Err() == nil {
		before, err := machineBusy()
		if err != nil {
			return err
		}
		time.Sleep(look)
		after, err := machineBusy()
		if err != nil {
			return err
		}
		if after-before < look/10 {
			return nil
		}
		if !told {
			fmt.Fprintln(os.Stderr, "waiting until the machine has less other work")
			told = true
		}
	}
	return ctx.Err()
}
