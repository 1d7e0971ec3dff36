package main

import (
	"fmt"
	"strings"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/jobs/callback"
)

// receiverOf gives where and how a source hears what became of its requests.
func receiverOf(c config.Callback) callback.Source {
	return callback.Source{Keys: c.SigningKeys(), Allow: c.Allow, URL: c.URL, Format: c.Spec()}
}

// checkReceivers gives every mistake in how the sources hear what became of their requests, each with its place in the file:
// in the formats, and what resetd would refuse to start with.
func checkReceivers(c *config.Config) error {
	var out config.Faults
	for i, s := range c.Sources {
		at := fmt.Sprintf("sources[%d].callback", i)
		r := receiverOf(s.Callback)
		wrong := callback.CheckFormat(r)
		for _, f := range wrong {
			out = append(out, c.Fault(at+"."+f.Path, f.Text))
		}
		if len(wrong) == 0 {
			out = append(out, refusals(c, at, callback.Options{Sources: map[string]callback.Source{s.Name: r}, AllowPrivateNetworks: c.Callbacks.AllowPrivateNetworks})...)
		}
	}
	if c.Callbacks.TLSCA != "" {
		out = append(out, refusals(c, "callbacks.tls_ca", callback.Options{CAFile: c.Callbacks.TLSCA})...)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// refusals gives what callbacks with these options would be refused for, each at the setting that it is about: the poster
// names it first, as in callback.url: … or callback.allow, entry 1: ….
func refusals(c *config.Config, at string, o callback.Options) (out config.Faults) {
	_, err := callback.New(o)
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimRight(line, "\n")
		for name := range o.Sources {
			line = strings.TrimPrefix(line, fmt.Sprintf("source %q: ", name))
		}
		place := at
		if rest, ok := strings.CutPrefix(line, "callback."); ok {
			if end := strings.IndexAny(rest, ":,"); end > 0 {
				place, line = at+"."+rest[:end], strings.TrimLeft(rest[end:], ":, ")
			}
		}
		out = append(out, c.Fault(place, strings.TrimPrefix(line, place+": ")))
	}
	return out
}
