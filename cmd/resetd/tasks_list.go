package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
)

// listOptions is what the flags of `resetd tasks list` say.
type listOptions struct {
	access
	q, status, system, source, from, to, cursor string
	limit                                       int
	all, json                                   bool
}

// tasksListCommand makes `resetd tasks list`. Its filters are those of the API and have the same names.
func tasksListCommand() *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use:     "list",
		Short:   "Search the history, newest first",
		Example: `  resetd tasks list -c resetd.yaml --q jdoe --from 7d --limit 20`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	f := c.Flags()
	f.StringVar(&o.q, "q", "", "a part of the account, in any letter case")
	f.StringVar(&o.status, "status", "", "queued, pending_approval, in_progress, successful, partially_successful, unsuccessful, rejected or cancelled")
	f.StringVar(&o.system, "system", "", "a system that the task acts on")
	f.StringVar(&o.source, "source", "", "the source that asked")
	f.StringVar(&o.from, "from", "", "created at or after: 2026-11-22T07:00:00Z, 2026-11-22, or 24h or 7d ago")
	f.StringVar(&o.to, "to", "", "created before, in the same form")
	f.IntVar(&o.limit, "limit", schemas.DefaultPage, "how many at most")
	f.BoolVar(&o.all, "all", false, "all of them, however many")
	f.StringVar(&o.cursor, "cursor", "", "go on where another list ended")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	o.flags(c)
	return c
}

// run prints the table to standard output, and what a person should know beside it to standard error, so that a script
// sees tasks only.
func (o *listOptions) run(c *cobra.Command) error {
	query, err := o.query(c, time.Now())
	if err != nil {
		return err
	}
	api, err := o.client(c, "viewer")
	if err != nil {
		return err
	}
	page, err := o.pages(c.Context(), api, query)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(c.OutOrStdout(), page)
	}
	if len(page.Tasks) == 0 {
		fmt.Fprintln(c.ErrOrStderr(), "no task matches")
		return nil
	}
	if err := taskTable(c.OutOrStdout(), page.Tasks); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintf(c.ErrOrStderr(), "there are more: add --all, or --cursor %s\n", plain(page.Next))
	}
	return nil
}

// pages gathers pages until there are enough tasks or no more.
func (o *listOptions) pages(ctx context.Context, api *client, query url.Values) (schemas.TaskPage, error) {
	all := schemas.TaskPage{Tasks: []schemas.Task{}}
	for {
		size := schemas.MaxPage
		if !o.all {
			size = min(size, o.limit-len(all.Tasks))
		}
		query.Set("limit", strconv.Itoa(size))
		var page schemas.TaskPage
		if err := api.call(ctx, http.MethodGet, "/v1/tasks", query, 0, &page); err != nil {
			return all, err
		}
		all.Tasks, all.Next = append(all.Tasks, page.Tasks...), page.Next
		if page.Next == "" || !o.all && len(all.Tasks) >= o.limit {
			return all, nil
		}
		// Never trust another program to end a loop.
		if page.Next == query.Get("cursor") {
			return all, &exit{exitRefused, errors.New("resetd gave the same page twice; please report this")}
		}
		query.Set("cursor", page.Next)
	}
}

// query makes the API's filters of the flags.
func (o *listOptions) query(c *cobra.Command, now time.Time) (url.Values, error) {
	if o.limit < 1 {
		return nil, usagef(c, "--limit must be 1 at least; use --all for everything")
	}
	query := url.Values{}
	for name, text := range map[string]string{"q": o.q, "status": o.status, "system": o.system, "source": o.source, "cursor": o.cursor} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, text := range map[string]string{"from": o.from, "to": o.to} {
		if text == "" {
			continue
		}
		at, err := since(text, now)
		if err != nil {
			return nil, usagef(c, "--%s: %s", name, err)
		}
		query.Set(name, at.UTC().Format(time.RFC3339))
	}
	return query, nil
}

// since reads a moment, a day in the zone of this machine, or how long ago something was.
func since(text string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	d, err := config.ParseDuration(text)
	if err != nil {
		return time.Time{}, errors.New("this is no time; write 2026-11-22T07:00:00Z, 2026-11-22, or 24h or 7d for so long ago")
	}
	return now.Add(-d), nil
}

// eventTable prints the history of a task, one line for each event and step.
func eventTable(w io.Writer, events []schemas.Event) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "N\tAT\tEVENT\tSYSTEM\tBY\tWHAT")
	for _, e := range events {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Seq, stamp(e.At), e.Type, dash(plain(e.System)), plain(e.Actor),
			plain(strings.TrimSpace(string(e.Code)+" "+e.Detail)))
	}
	return t.Flush()
}
