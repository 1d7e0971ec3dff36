//go:build race

package mapping_test

// raceEnabled tells that everything takes some ten times as long.
const raceEnabled = true
