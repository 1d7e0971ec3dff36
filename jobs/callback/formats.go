package callback

import (
	"fmt"
	"strings"

	"github.com/resetd/resetd/jobs/callback/format"
	"github.com/resetd/resetd/schemas/receiver"
)

// Formats lists what is known of every callback format: standard and cloudevents, the presets by name, and custom.
func Formats() ([]format.Info, error) { return format.Formats() }

// CheckFormat gives every mistake in what a source says of its format, and in what of URL, Allow and Keys depends on it. The
// paths are those of the YAML below the source's callback. Whether a URL is a good one, and whether a key can sign, is
// told by New.
func CheckFormat(s Source) receiver.Faults {
	_, faults := readFormat(s)
	return faults
}

// readFormat reads the format of a source; nil for those that are no template.
func readFormat(s Source) (*format.Format, receiver.Faults) {
	f, faults := format.New(s.Format)
	if !format.Templated(s.Format.Format) {
		return nil, faults
	}
	fault := func(path, text string, args ...any) {
		faults = append(faults, receiver.Fault{Path: path, Text: fmt.Sprintf(text, args...)})
	}
	if len(s.Allow) > 0 {
		fault("allow", "the format %s is told at the place that is configured, so no request names another; remove this", s.Format.Format)
	}
	if f == nil {
		return nil, faults
	}
	secret, isURL := f.URL()
	switch {
	case isURL && s.URL != "":
		fault("url", "the secret is the whole URL; remove this")
	case !isURL && s.URL == "":
		fault("url", "this is missing: the base URL of the receiver's API")
	}
	if isURL {
		t, err := parseTarget(secret.Reveal())
		switch {
		case err != nil:
			fault("auth.secret", "this is not the URL that the receiver gave you: %s", err)
		case f.Appends() && t.query != "":
			fault("auth.secret", "the requests of the format go below this URL, so it must have no query (?…)")
		}
	} else if f.Appends() && strings.Contains(s.URL, "?") {
		fault("url", "the requests of the format go below this URL, so it must have no query (?…)")
	}
	return f, faults
}

// locate gives the URL of a request below the base of a template. By its form no address leads elsewhere; what it says is
// held against the base all the same. The error shows nothing of either.
func (o *outlet) locate(address string) (string, error) {
	if address == "" {
		return o.url.Reveal(), nil
	}
	url := strings.TrimSuffix(o.url.Reveal(), "/") + address
	t, err := parseTarget(url)
	if err != nil {
		return "", fmt.Errorf("the address that the template makes cannot be used: %w", err)
	}
	if !t.under(*o.own) {
		return "", fmt.Errorf("the address that the template makes does not lie below the base URL; correct the template")
	}
	return url, nil
}
