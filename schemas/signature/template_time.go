package signature

import (
	"strconv"
	"time"
)

// timeFormat is one way to write a time. No time of a format begins or ends with a shorter one of the same format, so
// that a time needs no separator in the signed text: digits cannot be moved between it and the body.
type timeFormat struct {
	name  string // for people
	parse func(string) (time.Time, bool)
	write func(time.Time) string
}

var timeFormats = map[string]timeFormat{
	"unix": {
		name:  "a number of Unix seconds with 10 digits",
		parse: func(s string) (time.Time, bool) { n, ok := digits(s, 10); return time.Unix(n, 0), ok },
		write: func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
	},
	"unix_ms": {
		name:  "a number of Unix milliseconds with 13 digits",
		parse: func(s string) (time.Time, bool) { n, ok := digits(s, 13); return time.UnixMilli(n), ok },
		write: func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	},
	"rfc3339": {
		name:  "a time such as 2026-11-22T07:00:00Z (RFC 3339, with its zone)",
		parse: parseRFC3339,
		write: func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	},
}

// digits reads exactly n digits, of which the first is not zero: for 10 and 13 these are the years 2001 to 2286.
func digits(text string, n int) (int64, bool) {
	if len(text) != n || text[0] == '0' {
		return 0, false
	}
	var number int64
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		number = number*10 + int64(text[i]-'0')
	}
	return number, true
}

// parseRFC3339 reads 2006-01-02T15:04:05, a fraction of 1 to 9 digits or none, and Z or ±15:04. The shape is checked
// here, because time.Parse also takes a comma before the fraction, more digits, and hours of one digit.
func parseRFC3339(text string) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) || !shaped(text[:len(shape)], shape) {
		return time.Time{}, false
	}
	zone := text[len(shape):]
	if zone[0] == '.' {
		n := 1
		for n < len(zone) && zone[n] >= '0' && zone[n] <= '9' {
			n++
		}
		if n < 2 || n > 10 {
			return time.Time{}, false
		}
		zone = zone[n:]
	}
	if zone != "Z" && !shaped(zone, "+00:00") && !shaped(zone, "-00:00") {
		return time.Time{}, false
	}
	if zone != "Z" && (zone[1:3] > "23" || zone[4:] > "59") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// shaped reports whether text has a digit where shape has a 0, and the byte of shape elsewhere.
func shaped(text, shape string) bool {
	if len(text) != len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == '0' && (text[i] < '0' || text[i] > '9') || shape[i] != '0' && text[i] != shape[i] {
			return false
		}
	}
	return true
}
