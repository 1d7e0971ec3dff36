package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
)

// known is what this build can be configured with.
func known() config.Known {
	k := config.Known{Presets: source.Presets(), Schemes: verify.Schemes()}
	for _, kind := range kinds() {
		k.Kinds = append(k.Kinds, kind.Name)
	}
	return k
}

// loadConfig reads the whole configuration, with the settings of the sources and systems, for a command that needs all of it. Its
// error tells every mistake at once. Warnings go to standard error.
func loadConfig(c *cobra.Command, file string) (*config.Config, error) {
	got, err := config.Load(file, known(), os.LookupEnv)
	if got != nil { // beside faults there is what could be read, so that all mistakes are told at once
		err = config.Join(err, unlessFaulty(err, checkSources(got)), unlessFaulty(err, checkReceivers(got)), checkSystems(got))
	}
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	for _, w := range got.Warnings() {
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", w)
	}
	return got, nil
}
