package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/connectors"
)

// kindsCommand makes `resetd kinds`: what can stand under systems:, ready to be pasted there.
func kindsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kinds [KIND]",
		Short: "List the kinds of IAM systems, or print one as an entry for systems: in the configuration",
		Example: `  resetd kinds
  resetd kinds entra >>resetd.yaml     # where systems: is the last key`,
		RunE: func(c *cobra.Command, args []string) error {
			names := make([]string, len(kinds()))
			for i, k := range kinds() {
				names[i] = k.Name
			}
			switch {
			case len(args) == 0:
				_, err := fmt.Fprintln(c.OutOrStdout(), strings.Join(names, "\n"))
				return err
			case len(args) > 1 || !slices.Contains(names, args[0]):
				return usagef(c, "name one of %s", strings.Join(names, ", "))
			}
			return printKind(c.OutOrStdout(), kinds()[slices.Index(names, args[0])])
		},
	}
}

// printKind prints an entry with every setting of the kind. It permits nothing.
func printKind(w io.Writer, k connectors.Kind) error {
	_, err := fmt.Fprintf(w, "  - name: my-%[1]s\n    kind: %[1]s\n    enforcement: not_granted   # granted lets resetd act; see connectors/%[1]s/README.md for the rights it takes\n    config:\n", k.Name)
	for line := range strings.Lines(strings.TrimRight(k.Example, "\n")) {
		if err == nil {
			_, err = fmt.Fprint(w, "      "+line)
		}
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}
