package main

import (
	"testing"
	"time"
)

func TestQuantilesAreSamplesByTheNearestRank(t *testing.T) {
	var s samples
	if s.at(0.5) != 0 {
		t.Error("no samples have no quantile")
	}
	for i := range 100 {
		s = append(s, time.Duration(100-i)*time.Millisecond)
	}
	for q, want := range map[float64]float64{0: 1, 0.5: 50, 0.95: 95, 0.99: 99, 1: 100} {
		if got := s.ms(q); got != want {
			t.Errorf("quantile %v is %v ms, want %v", q, got, want)
		}
	}
	if s[0] != 100*time.Millisecond {
		t.Error("the samples were put in another order")
	}
}

func TestTheMedianIsTheMiddleOrTheMeanOfTheTwo(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Error(got)
	}
	if got := median([]float64{9, 1, 5, 7}); got != 6 {
		t.Error(got)
	}
}
