package mapping_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// spentTime is how long the processor was at this thread's work, which others on the machine do not change much.
func spentTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		panic(err) // only for an argument that is misspelt above
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
