//go:build race

package jobs_test

const raced = true // the race detector makes everything ten times slower
