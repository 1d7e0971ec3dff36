package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// conditions says under what circumstances the figures came about.
func conditions(dir string) []condition {
	return []condition{
		{"when", time.Now().UTC().Format(time.RFC3339)},
		{"processors", strconv.Itoa(runtime.NumCPU()) + ", shared by resetd, Redis, the floor server and the load generator"},
		{"processor model", firstAfter("/proc/cpuinfo", "model name")},
		{"kernel", strings.TrimSpace(fileText("/proc/sys/kernel/osrelease"))},
		{"go", runtime.Version()},
		{"load average at the start", strings.Join(strings.Fields(fileText("/proc/loadavg") + " ? ?")[:3], " ")},
		{"one sync of 4 KiB to this disk", syncs(dir)},
		{"ledger", "SQLite, WAL, synchronous=FULL: every 202 is on disk"},
		{"redis", "append-only file, fsync always (as in deploy/container/compose.yaml) unless a line says everysec"},
		{"webhook", strconv.Itoa(bodySize) + " byte body, Standard Webhooks v1, one request, id and account of its own"},
		{"system", "an imitation in memory, 20 ms for a reset; no callbacks"},
	}
}

// fileText gives what a file holds, or "unknown".
func fileText(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return string(text)
}

// firstAfter gives what stands behind the colon of the first line that begins with a key.
func firstAfter(file, key string) string {
	for line := range strings.Lines(fileText(file)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// syncs appends to a file and syncs it, again and again, and says how long that takes: the price of every commit.
func syncs(dir string) string {
	file, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	var took samples
	for range 300 {
		began := time.Now()
		_, errWrite := file.Write(make([]byte, 4096))
		if err := errors.Join(errWrite, file.Sync()); err != nil {
			return err.Error()
		}
		took = append(took, time.Since(began))
	}
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", took.ms(0.5), took.ms(0.99))
}
