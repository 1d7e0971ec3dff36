package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/resetd/resetd/schemas"
)

// plain makes a text safe for a terminal: what could move the cursor, change colours or turn the reading direction
// becomes a question mark. Details may quote what a foreign system said.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, s)
}

// short cuts a text for a column; the end of an account says more than its middle, so the middle goes.
func short(s string, width int) string {
	r := []rune(plain(s))
	if len(r) <= width {
		return string(r)
	}
	tail := (width - 1) / 3
	return string(r[:width-1-tail]) + "…" + string(r[len(r)-tail:])
}

// stamp writes a time in the zone of this machine; a dash when there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// taskTable prints one line for each task, about 130 columns wide.
func taskTable(w io.Writer, tasks []schemas.Task) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATUS\tACCOUNT\tSYSTEMS\tSOURCE\tCODE\tCREATED")
	for _, task := range tasks {
		systems := make([]string, len(task.Enforcements))
		for i, e := range task.Enforcements {
			systems[i] = e.System
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(task.ID), task.Status, short(task.Request.Account.Value, 32),
			short(strings.Join(systems, ","), 20), short(task.Source, 16), dash(string(task.Code)), stamp(task.CreatedAt))
	}
	return t.Flush()
}

// taskDetails prints everything about one task that helps a person: what was asked, what came of it on every system and
// at every step, and why.
func taskDetails(w io.Writer, task schemas.Task) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, plain(text))
		}
	}
	r := task.Request
	line("task", task.ID)
	line("account", fmt.Sprintf("%s (%s)", r.Account.Value, r.Account.Type))
	line("status", strings.TrimSpace(string(task.Status)+" "+string(task.Code)))
	if !toldBelow(task) {
		line("detail", task.Detail)
	}
	line("asked by", task.Source)
	line("mode", string(r.Mode)+map[bool]string{true: ", dry run"}[r.DryRun])
	line("reference", r.Reference)
	line("description", r.Description)
	line("created", stamp(task.CreatedAt))
	if !task.FinishedAt.IsZero() {
		line("finished", fmt.Sprintf("%s, after %s", stamp(task.FinishedAt), task.FinishedAt.Sub(task.CreatedAt).Round(time.Millisecond)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, e := range task.Enforcements {
		if err := enforcementDetails(w, e); err != nil {
			return err
		}
	}
	return nil
}

// toldBelow tells whether a task's detail is only that of one of its systems, where it is printed anyway.
func toldBelow(task schemas.Task) bool {
	return slices.ContainsFunc(task.Enforcements, func(e schemas.Enforcement) bool {
		return e.Detail != "" && (task.Detail == e.Detail || task.Detail == e.System+": "+e.Detail)
	})
}

// enforcementDetails prints what happened on one system, with each step and how long it took.
func enforcementDetails(w io.Writer, e schemas.Enforcement) error {
	fmt.Fprintf(w, "\n%s: %s %s\n", plain(e.System), e.Status, e.Code)
	if e.Identity != nil {
		fmt.Fprintf(w, "  found: %s\n", plain(strings.TrimSpace(e.Identity.Name+" "+e.Identity.ID)))
	}
	if e.Detail != "" {
		fmt.Fprintf(w, "  %s\n", plain(e.Detail))
	}
	if e.Via != "" {
		fmt.Fprintf(w, "  the account of %s is copied from here\n", plain(e.Via))
	}
	if e.WaitsFor != "" {
		fmt.Fprintf(w, "  waits for %s\n", plain(e.WaitsFor))
	}
	if e.Sealed != "" {
		fmt.Fprintf(w, "  the new password is attached, encrypted: resetd tasks sealed ID %s | age -d -i KEY\n", plain(e.System))
	}
	if !e.NotBefore.IsZero() && e.WaitsFor == "" {
		fmt.Fprintf(w, "  next attempt: %s\n", stamp(e.NotBefore))
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range e.Steps {
		detail := s.Detail
		if detail == e.Detail {
			detail = "" // it stands above
		}
		fmt.Fprintf(t, "  %s\t%s\t%d ms\t%s\n", s.Name, s.Code, s.TookMS, plain(detail))
	}
	return t.Flush()
}

// dash makes an empty cell visible.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
