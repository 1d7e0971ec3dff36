package rest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
)

func TestRetryAfterInBothFormsByTheServersClock(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	behind := now.Add(-10 * time.Minute) // the server's clock
	for name, one := range map[string]struct {
		retry, date string
		want        time.Duration
	}{
		"none":                        {"", "", 0},
		"seconds":                     {"7", "", 7 * time.Second},
		"seconds, whatever the clock": {"7", behind.Format(http.TimeFormat), 7 * time.Second},
		"parts of a second":           {"0.5", "", 500 * time.Millisecond},
		"spaces":                      {" 7 ", "", 7 * time.Second},
		"a date":                      {now.Add(9 * time.Second).Format(http.TimeFormat), "", 9 * time.Second},
		"a date by another clock":     {behind.Add(9 * time.Second).Format(http.TimeFormat), behind.Format(http.TimeFormat), 9 * time.Second},
		"a date in the past":          {behind.Format(http.TimeFormat), now.Format(http.TimeFormat), 0},
		"less than nothing":           {"-7", "", 0},
		"for ever":                    {"Inf", "", 24 * time.Hour},
		"no number":                   {"NaN", "", 0},
		"too long":                    {"1e300", "", 24 * time.Hour},
		"nonsense":                    {"soon", "", 0},
	} {
		h := http.Header{}
		h.Set("Retry-After", one.retry)
		h.Set("Date", one.date)
		if got := rest.RetryAfter(h, now); got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
}

func TestUntilEpochByTheServersClock(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	for text, want := range map[string]time.Duration{"1800000030": 30 * time.Second, "1799999000": 0, "": 0, "x": 0, "9223372036854775807": 24 * time.Hour} {
		h := http.Header{"X-Rate-Limit-Reset": {text}}
		if got := rest.UntilEpoch(h, "X-Rate-Limit-Reset", now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	h := http.Header{"X-Rate-Limit-Reset": {"1800000030"}, "Date": {now.Add(20 * time.Second).Format(http.TimeFormat)}}
	if got := rest.UntilEpoch(h, "X-Rate-Limit-Reset", now); got != 10*time.Second {
		t.Errorf("by the server's clock: %s", got)
	}
}
