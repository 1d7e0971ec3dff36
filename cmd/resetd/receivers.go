package main

import (
	"fmt"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/jobs/callback"
)

// receiverOf gives where and how a source hears what became of its requests.
func receiverOf(c config.Callback) callback.Source {
	return callback.Source{Keys: c.SigningKeys(), Allow: c.Allow, URL: c.URL, Format: c.Spec()}
}

// checkReceivers gives every mistake in the callback formats of the sources, each with its place in the file.
func checkReceivers(c *config.Config) error {
	var out config.Faults
	for i, s := range c.Sources {
		for _, f := range callback.CheckFormat(receiverOf(s.Callback)) {
			out = append(out, c.Fault(fmt.Sprintf("sources[%d].callback.%s", i, f.Path), f.Text))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
