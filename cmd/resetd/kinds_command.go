package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
)

// kindsCommand makes `resetd kinds`: what can stand under systems:, ready to be pasted there.
func kindsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of IAM systems, or print one as an entry for systems: in the configuration",
		Example: `  resetd kinds
  resetd kinds entra >>resetd.yaml     # the file that init wrote, where systems: is the last key; add the name to a source`,
		RunE: func(c *cobra.Command, args []string) error {
			names := make([]string, len(kinds()))
			for i, k := range kinds() {
				names[i] = k.Name
			}
			switch {
			case len(args) == 0:
				_, err := fmt.Fprintln(c.OutOrStdout(), strings.Join(names, "\n"))
				return err
			case len(args) == 1 && !slices.Contains(names, args[0]) && config.Nearest(args[0], names) != "":
				return usagef(c, "there is no kind %q; did you mean %s?", plain(args[0]), config.Nearest(args[0], names))
			case len(args) > 1 || !slices.Contains(names, args[0]):
				return usagef(c, "name one of %s", strings.Join(names, ", "))
			}
			return printKind(c.OutOrStdout(), kinds()[slices.Index(names, args[0])])
		},
	}
}

// entry is what stands before the settings of a kind. It permits nothing. KIND stands for its name.
const entry = `  - name: my-KIND   # add this name to systems: of a source
    kind: KIND
    enforcement: not_granted       # granted lets resetd act; see connectors/KIND/README.md for the rights it takes
    # rate: 20/s                   # calls of all replicas together; s, m, h or d; default: no bound
    # workers: 4                   # resets at a time; default: resetd decides
    # timeout: 10s                 # the longest that one call may take
    # source_system: corp-ad       # the system that these accounts are copied from, where their passwords live
    # privileged: refuse           # or allow: administrators and other privileged accounts too
    config:
`

// printKind prints an entry for systems: with the example of the kind.
func printKind(w io.Writer, k connectors.Kind) error {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(entry, "KIND", k.Name))
	for line := range strings.Lines(strings.TrimRight(k.Example, "\n")) {
		b.WriteString("      " + line)
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}
