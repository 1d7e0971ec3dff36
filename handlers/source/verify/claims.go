package verify

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/resetd/resetd/schemas"
)

// maxWho bounds what is told of a sender.
const maxWho = 256

// claimSet is what a token says, each claim as it was written.
type claimSet map[string]jsontext.Value

// parseClaims reads the claims. An object with a member twice, at whatever depth, is refused: two readers of one token must
// not see two accounts.
func parseClaims(raw []byte) (claimSet, error) {
	var c claimSet
	if err := json.Unmarshal(raw, &c); err != nil || c == nil {
		return nil, refuse(ReasonMalformedToken, "the token's claims are no JSON object with each member once")
	}
	return c, nil
}

// has tells whether a claim is there and says something.
func (c claimSet) has(name string) bool { return c[name] != nil && c[name].Kind() != 'n' }

// text gives a claim that is a string; empty if it is not there. Another type is an error.
func (c claimSet) text(name string) (string, error) {
	if !c.has(name) {
		return "", nil
	}
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return "", refuse(ReasonMalformedToken, "the token's %s is no string", name)
	}
	return s, nil
}

// time gives a claim that is a time in seconds since 1970; zero if it is not there.
func (c claimSet) time(name string) (time.Time, error) {
	if !c.has(name) {
		return time.Time{}, nil
	}
	t, ok := numericDate(c[name], 1)
	if !ok {
		return time.Time{}, refuse(ReasonMalformedToken, "the token's %s is no number of seconds since 1970", name)
	}
	return t, nil
}

// lastSecond is the end of the year 9999, beyond which no notation of times reaches.
const lastSecond = 253402300799

// numericDate reads a NumericDate (RFC 7519 §2) in units of a second divided by parts, 1 or 1000. Exponents are refused:
// who writes a time that way has rounded it.
func numericDate(raw jsontext.Value, parts int64) (time.Time, bool) {
	whole, fraction, dotted := strings.Cut(string(raw), ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || int64(n)/parts > lastSecond || len(fraction) > 32 || dotted && strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	seconds, rest := int64(n)/parts, int64(n)%parts
	return time.Unix(seconds, rest*int64(time.Second)/parts+nanos/parts).UTC(), true
}

// list gives a claim that is a string or a list of strings, such as aud.
func (c claimSet) list(name string) ([]string, error) {
	if !c.has(name) {
		return nil, nil
	}
	if c[name].Kind() == '"' {
		s, err := c.text(name)
		return []string{s}, err
	}
	var all []*string
	if json.Unmarshal(c[name], &all) != nil || slices.Contains(all, nil) {
		return nil, refuse(ReasonMalformedToken, "the token's %s is neither a string nor a list of strings", name)
	}
	out := make([]string, len(all))
	for i := range all {
		out[i] = *all[i]
	}
	return out, nil
}

// says tells whether a claim has a value: it is that string, a list that holds that string, or a number or truth value that
// is written so.
func (c claimSet) says(name, want string) bool {
	switch raw := c[name]; {
	case raw == nil:
		return false
	case raw.Kind() == '"' || raw.Kind() == '[':
		have, err := c.list(name)
		return err == nil && slices.Contains(have, want)
	case raw.Kind() == '0' || raw.Kind() == 't' || raw.Kind() == 'f':
		return string(raw) == want
	}
	return false
}

// who gives the first of some claims that can be shown to a person.
func (c claimSet) who(names ...string) string {
	for _, name := range names {
		if s, err := c.text(name); err == nil && s != "" && schemas.CheckText(s, maxWho, false) == nil {
			return s
		}
	}
	return ""
}
