package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// systemTable prints one line for each system.
func systemTable(w io.Writer, systems []schemas.System) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tKIND\tPERMISSION\tFROM\tSTATE\tBACKLOG\tRATE\tLAST CHECK")
	for _, s := range systems {
		last := "-"
		if s.Check != nil {
			last = fmt.Sprintf("%s, %s", s.Check.State, ago(s.Check.At))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", plain(s.Name), plain(s.Kind), s.Enforcement.Permission, s.Enforcement.From, plain(s.State),
			s.Backlog, dash(plain(s.Rate)), last)
	}
	return t.Flush()
}

// printSystem shows a system for a person or a program.
func printSystem(c *cobra.Command, s schemas.System, asJSON bool) error {
	w := c.OutOrStdout()
	if asJSON {
		return printJSON(w, s)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	line("system", "%s (%s)", s.Name, s.Kind)
	if e := s.Enforcement; e.From == schemas.FromRunTime {
		line("permission", "%s at run time by %s on %s; the configuration says %s", e.Permission, e.By, stamp(e.At), e.Configured)
		line("reason", "%s", dash(e.Reason))
	} else {
		line("permission", "%s by the configuration", e.Permission)
	}
	line("state", "%s %s", plain(s.State), s.Reason)
	if !s.Until.IsZero() {
		line("until", "%s", stamp(s.Until))
	}
	line("rate", "%s", dash(s.Rate))
	line("backlog", "%d", s.Backlog)
	if err := t.Flush(); err != nil {
		return err
	}
	if s.Check != nil {
		fmt.Fprintf(w, "\nlast check, %s:\n", stamp(s.Check.At))
		printFindings(w, findingsOf(*s.Check))
	}
	if len(s.History) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	h := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(h, "WHEN\tWHO\tFROM\tTO\tREASON")
	for _, c := range s.History {
		fmt.Fprintf(h, "%s\t%s\t%s\t%s\t%s\n", stamp(c.At), plain(c.Actor), c.From, c.To, dash(plain(c.Reason)))
	}
	return h.Flush()
}
