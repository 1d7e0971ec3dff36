package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// conditions says under what circumstances the figures came about.
func conditions() []condition {
	return []condition{
		{"when", time.Now().UTC().Format(time.RFC3339)},
		{"processors", strconv.Itoa(runtime.NumCPU()) + ", shared by resetd, Redis, the floor server and the load generator"},
		{"processor model", firstAfter("/proc/cpuinfo", "model name")},
		{"kernel", strings.TrimSpace(read("/proc/sys/kernel/osrelease"))},
		{"go", runtime.Version()},
		{"load average at the start", strings.Join(strings.Fields(read("/proc/loadavg") + " ? ?")[:3], " ")},
		{"ledger", "SQLite, WAL, synchronous=FULL: every 202 is on disk"},
		{"redis", "append-only file, fsync always (as in deploy/container/compose.yaml) unless a line says everysec"},
		{"webhook", strconv.Itoa(bodySize) + " byte body, Standard Webhooks v1, one request, id and account of its own"},
		{"system", "an imitation in memory, 20 ms for a reset; no callbacks"},
	}
}

func read(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return string(text)
}

// firstAfter gives what stands behind the colon of the first line that begins with a key.
func firstAfter(file, key string) string {
	for line := range strings.Lines(read(file)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
