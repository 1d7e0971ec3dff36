package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/jobs/callback"
	"github.com/resetd/resetd/jobs/callback/format"
	"github.com/resetd/resetd/schemas/receiver"
)

// receiversCommand makes `resetd source receivers`: the callback formats, and what one of them asks for.
func receiversCommand() *cobra.Command {
	return &cobra.Command{
		Use: "receivers [FORMAT]", Short: "List the formats in which a source can hear back, or show what one asks for",
		Example: "  resetd source receivers\n  resetd source receivers jira",
		RunE: func(c *cobra.Command, args []string) error {
			all, err := callback.Formats()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "FORMAT\tEVIDENCE\tRECEIVER")
				for _, f := range all {
					fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, dash(f.Evidence), f.Title)
				}
				return t.Flush()
			}
			names := make([]string, len(all))
			for i, f := range all {
				names[i] = f.Name
			}
			i := slices.Index(names, args[0])
			switch near := config.Nearest(args[0], names); {
			case len(args) > 1:
				return usagef(c, "name one format; resetd source receivers lists them")
			case i < 0 && near == "":
				return usagef(c, "there is no format %q; there are %s", plain(args[0]), strings.Join(names, ", "))
			case i < 0:
				return usagef(c, "there is no format %q; did you mean %s?", plain(args[0]), near)
			}
			return printReceiver(c.OutOrStdout(), all[i])
		},
	}
}

// printReceiver prints what a person has to know of a callback format, and an entry for the configuration.
func printReceiver(w io.Writer, f format.Info) error {
	p := newPage(f.Name, f.Title, f.Evidence)
	p.steps("Set it up", f.Setup)
	var b strings.Builder
	fmt.Fprintf(&b, "callback:\n  format: %s\n", f.Name)
	if f.URL != "" {
		fmt.Fprintf(&b, "  url: %s\n", f.URL)
	}
	switch {
	case f.Name == receiver.Custom:
		b.WriteString(customExample)
	case len(f.Auth) == 0:
		b.WriteString("  key: ${CALLBACK_KEY}\n")
	}
	for i, a := range f.Auth {
		lead := "  "
		if i > 0 {
			lead = "  # or: "
		}
		if a.Scheme == receiver.SchemeBasic && a.User == "" {
			a.User = "resetd@example.com" // it is needed, and which one it is nobody can know
		}
		fmt.Fprintf(&b, "%sauth: {scheme: %s", lead, a.Scheme)
		for _, part := range []struct{ key, value string }{{"user", a.User}, {"header", a.Header}, {"prefix", a.Prefix}} {
			if part.value != "" {
				fmt.Fprintf(&b, ", %s: %q", part.key, part.value)
			}
		}
		b.WriteString(", secret: \"${RECEIVER_SECRET}\"}\n")
	}
	if len(f.Params) > 0 {
		b.WriteString("  params:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		param, lead, need := f.Params[name], "# ", "optional"
		if param.Required {
			lead, need = "", "required"
		}
		if param.PerStatus {
			name += "_successful"
		}
		fmt.Fprintf(&b, "    %s%s: %q   # %s; %s\n", lead, name, param.Default, need, param.About)
	}
	p.part("Configuration", b.String())
	if f.Name == receiver.Custom {
		p.part("The template", customTerms)
	}
	p.part("The reference", f.Template.ReferenceIs)
	p.part("Note", strings.Join(f.Notes, "\n"))
	return p.print(w)
}
