package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// ErrDuration is the error of ParseDuration.
var ErrDuration = errors.New("this is no duration; write a number with its unit, such as 500ms, 30s, 10m, 12h or 365d")

// ErrRate is the error of Rate.UnmarshalText.
var ErrRate = errors.New("this is no rate; write a number per s, m, h or d, such as 20/s or 600/m")

var (
	daysForm = regexp.MustCompile(`^([0-9]{1,5})d(.*)$`)
	rateForm = regexp.MustCompile(`^([1-9][0-9]{0,8})/([smhd])$`)
)

// ParseDuration reads a duration as time.ParseDuration does, and days of 24 hours before it: 365d, 1d12h. Negative ones
// and plain numbers are refused, with ErrDuration.
func ParseDuration(text string) (time.Duration, error) {
	var days time.Duration
	if m := daysForm.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // the form allows nothing that fails
		days, text = time.Duration(n)*24*time.Hour, m[2]
		if text == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || text == "0" || text[0] == '+' || text[0] == '-' {
		return 0, ErrDuration
	}
	return days + d, nil
}

// Window is a duration that can be off. The zero value says nothing.
type Window struct {
	Length time.Duration
	Off    bool
}

// UnmarshalText reads a duration up to a day, or off.
func (w *Window) UnmarshalText(b []byte) error {
	if string(b) == "off" {
		*w = Window{Off: true}
		return nil
	}
	d, err := ParseDuration(string(b))
	if err != nil || d < time.Second || d > 24*time.Hour {
		return errors.New("this must be a duration from 1s to 24h, such as 15m, or off")
	}
	*w = Window{Length: d}
	return nil
}

// Value gives the length; negative is off, and zero says nothing.
func (w Window) Value() time.Duration {
	if w.Off {
		return -1
	}
	return w.Length
}

// Rate is a number of calls in a time. The zero value is no bound.
type Rate struct {
	Count int
	Per   time.Duration
}

// UnmarshalText reads NUMBER/UNIT, where the unit is s, m, h or d. Its error is ErrRate.
func (r *Rate) UnmarshalText(b []byte) error {
	m := rateForm.FindStringSubmatch(string(b))
	if m == nil {
		return ErrRate
	}
	r.Count, _ = strconv.Atoi(m[1]) // the form allows nothing that fails
	r.Per = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
	return nil
}

// PerSecond gives the rate in calls a second; zero is no bound.
func (r Rate) PerSecond() float64 {
	if r.Per == 0 {
		return 0
	}
	return float64(r.Count) / r.Per.Seconds()
}

// String gives the rate as it is written; empty is no bound.
func (r Rate) String() string {
	for unit, per := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour} {
		if r.Per == per {
			return fmt.Sprintf("%d/%s", r.Count, unit)
		}
	}
	return ""
}
