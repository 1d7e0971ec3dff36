package config_test

import (
	"errors"
	"testing"
	"time"

	"github.com/resetd/resetd/cmd/resetd/config"
)

func TestDurationsHaveAUnit(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "365d": 365 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "0s": 0, "1.5h": 90 * time.Minute, "0d": 0,
	} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "30", "-1s", "+1s", "1d-1h", "d", "1 d", "1w", "1.5d", "999999d", "30s ", "1d1"} {
		if got, err := config.ParseDuration(text); !errors.Is(err, config.ErrDuration) || got != 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestRatesAreANumberPerUnit(t *testing.T) {
	for text, want := range map[string]float64{"20/s": 20, "600/m": 10, "3600/h": 1, "86400/d": 1} {
		var r config.Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.PerSecond() != want || r.String() != text {
			t.Errorf("%s: %v, %v, %s", text, r.PerSecond(), err, r)
		}
	}
	for _, text := range []string{"", "20", "/s", "0/s", "-1/s", "20/", "20/sec", "20 /s", "1.5/s", "20/s/s", "1000000000/s"} {
		var r config.Rate
		if err := r.UnmarshalText([]byte(text)); !errors.Is(err, config.ErrRate) || r != (config.Rate{}) {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	if (config.Rate{}).PerSecond() != 0 || (config.Rate{}).String() != "" {
		t.Error("the zero rate is a bound")
	}
}
