//go:build !race

package jobs_test

const raced = false
