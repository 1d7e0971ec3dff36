package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// tasksCommand makes `resetd tasks` and what lies below it: a thin layer over the task API.
func tasksCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "tasks",
		Short: "List tasks, show one, try one again or withdraw it",
		Example: `  resetd tasks list -c resetd.yaml --status unsuccessful --from 24h
  resetd tasks show -c resetd.yaml 01930e7c-5c3b-7b53-b1c0-3f5a7d1f0a11`,
	}, tasksListCommand(), tasksShowCommand(), tasksSealedCommand(), tasksRetryCommand(), tasksCancelCommand())
}

// tasksShowCommand makes `resetd tasks show`. With --events it makes another call for the history.
func tasksShowCommand() *cobra.Command {
	var a access
	var asJSON, events bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a task with every system, step and callback",
		Args:  oneID,
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.client(c, "viewer")
			if err != nil {
				return err
			}
			var t schemas.Task
			if err := api.call(c.Context(), http.MethodGet, taskPath(args[0], ""), nil, 0, &t); err != nil {
				return err
			}
			if asJSON && !events {
				return printJSON(c.OutOrStdout(), t)
			}
			var h history
			if events {
				if err := api.call(c.Context(), http.MethodGet, taskPath(args[0], "/events"), nil, 0, &h); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), h)
			}
			if err := taskDetails(c.OutOrStdout(), t); err != nil {
				return err
			}
			if err := showCallbacks(c, api, t); err != nil || !events {
				return err
			}
			fmt.Fprintln(c.OutOrStdout())
			return eventTable(c.OutOrStdout(), h.Events)
		},
	}
	c.Flags().BoolVar(&events, "events", false, "show the history too; with --json, only the history")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	a.flags(c)
	return c
}

func tasksRetryCommand() *cobra.Command {
	return decideCommand("retry", "Try again what did not succeed", "The parts of a task that failed, or found no account, go back into the queue.")
}

func tasksCancelCommand() *cobra.Command {
	return decideCommand("cancel", "Withdraw a task as far as nothing was changed yet", "Parts that a worker has begun are finished; what was changed stays changed.")
}

// decideCommand is a command that makes one call on a task and shows what it became.
func decideCommand(verb, summary, long string) *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use:   verb + " ID",
		Short: summary,
		Long:  summary + ". " + long,
		Args:  oneID,
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.client(c, "operator")
			if err != nil {
				return err
			}
			var t schemas.Task
			if err := api.call(c.Context(), http.MethodPost, taskPath(args[0], "/"+verb), nil, 0, &t); err != nil {
				return err
			}
			return printTask(c, t, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	a.flags(c)
	return c
}

// history is what the API says of a task's past.
type history struct {
	Events []schemas.Event `json:"events"`
}

// printTask shows a task for a person or a program.
func printTask(c *cobra.Command, t schemas.Task, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), t)
	}
	return taskDetails(c.OutOrStdout(), t)
}

// taskPath is the path of a task in the API. The id comes from the command line and is escaped, so that it cannot lead
// to another call.
func taskPath(id, rest string) string { return "/v1/tasks/" + url.PathEscape(id) + rest }

// oneID wants exactly one id.
func oneID(c *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef(c, "give the id of one task; resetd tasks list shows them")
	}
	return nil
}
