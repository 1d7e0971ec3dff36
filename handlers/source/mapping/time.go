package mapping

import (
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a time beside RFC 3339 that senders write. One without a zone is taken as UTC.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999 Z0700",
	"2006-01-02 15:04:05.999999999 MST",
	"2006-01-02 15:04:05.999999999",
	time.RFC1123Z,
	time.RFC1123,
}

// parseTime reads a time: one of the layouts, or seconds or milliseconds since 1970, told apart by their size.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return time.Time{}, false
	}
	if t, ok := epoch(s, 0); ok {
		return t, true
	}
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, s, time.UTC) // where no zone but UTC is known by its letters
		if err != nil {
			continue
		}
		if name, _ := t.Zone(); strings.Contains(layout, "MST") && name != "UTC" && name != "GMT" {
			return time.Time{}, false
		}
		return t.UTC(), true
	}
	return time.Time{}, false
}

// epoch reads a number of units since 1970, with a fraction or without. Unit zero tells the unit by the size: what lies
// between 1973 and 5138 as seconds are seconds, and so on down to nanoseconds. Smaller ones are no time of an alert.
func epoch(s string, unit time.Duration) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(fraction, "0123456789") != "" || strings.HasPrefix(whole, "+") {
		return time.Time{}, false
	}
	if unit == 0 {
		switch {
		case n < 1e8:
			return time.Time{}, false
		case n < 1e11:
			unit = time.Second
		case n < 1e14:
			unit = time.Millisecond
		case n < 1e17:
			unit = time.Microsecond
		default:
			unit = time.Nanosecond
		}
	}
	perSecond := int64(time.Second / unit)
	t := time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC()
	if fraction != "" {
		f, err := strconv.ParseFloat("0."+fraction, 64)
		if err != nil || n < 0 {
			return time.Time{}, false
		}
		t = t.Add(time.Duration(f * float64(unit)))
	}
	return t, t.Year() >= 1 && t.Year() <= 9998
}
