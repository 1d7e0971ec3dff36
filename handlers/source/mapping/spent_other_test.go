//go:build !linux

package mapping_test

import "time"

var processStart = time.Now()

// spentTime is the time by the clock, where that of the processor cannot be told.
func spentTime() time.Duration { return time.Since(processStart) }
