package main

import (
	"math"
	"slices"
	"time"
)

// samples are durations of single operations.
type samples []time.Duration

// at gives the quantile q by the nearest rank: the least sample that is not below a share q of all. No samples give 0.
func (s samples) at(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// ms gives a quantile in milliseconds.
func (s samples) ms(q float64) float64 { return float64(s.at(q)) / float64(time.Millisecond) }

// median gives the middle value, or the mean of the two.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(v))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
