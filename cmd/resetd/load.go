package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/handlers/source"
)

// known is what this build can be configured with.
func known() config.Known {
	k := config.Known{Presets: source.Presets(), Schemes: source.Schemes()}
	for _, kind := range kinds() {
		k.Kinds = append(k.Kinds, kind.Name)
	}
	return k
}

// loadConfig reads the whole configuration, with the settings of the systems, for a command that needs all of it. Its
// error tells every mistake at once. Warnings go to standard error.
func loadConfig(c *cobra.Command, file string) (*config.Config, error) {
	got, err := config.Load(file, known(), os.LookupEnv)
	if got != nil { // beside faults there is what could be read, so that the systems' own mistakes are told with the others
		err = config.Join(err, checkSystems(got))
	}
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	for _, w := range got.Warnings() {
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", w)
	}
	return got, nil
}
