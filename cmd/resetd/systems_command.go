package main

import (
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// systemsCommand makes `resetd systems` and what lies below it: a thin layer over the API of systems.
func systemsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "systems",
		Short: "List the IAM systems of a running resetd, check one, grant or withdraw its permission",
		Example: `  resetd systems list -c resetd.yaml
  resetd systems withdraw -c resetd.yaml corp-ad --reason "incident 4711"`,
	}, systemsListCommand(), systemsShowCommand(), systemsCheckCommand(),
		permitCommand("grant", "Let resetd change accounts on a system",
			"It counts at once and over restarts, until it is withdrawn or reverted, or the configuration is changed from granted to\nnot_granted. It needs the role admin. Tasks that ended as permission_missing are run again by `resetd tasks retry`.", "admin",
			schemas.PermissionGranted),
		permitCommand("withdraw", "Keep resetd from changing accounts on a system",
			"It counts at once, over restarts and whatever the configuration says, until it is granted or reverted. It needs the role\noperator. A reset that was sent already is not taken back.", "operator",
			schemas.PermissionNotGranted),
		permitCommand("revert", "Let the configuration decide again whether resetd may change accounts on a system",
			"What was granted or withdrawn at run time ends. It needs the role admin.", "admin", ""))
}

func systemsListCommand() *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the systems with permission, state and backlog", Args: noArgs,
		Long: "List the systems with permission, state and backlog. The states: closed is good, calls go through (as in an electric\n" +
			"circuit); open: the system does not answer and is left alone; half_open: one trial call is under way; paused: it asked\nfor a pause.",
		Example: "  resetd systems list -c resetd.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := a.client(c, "viewer")
			if err != nil {
				return err
			}
			var got schemas.SystemList
			if err := api.call(c.Context(), http.MethodGet, "/v1/systems", nil, 0, &got); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), got)
			}
			return systemTable(c.OutOrStdout(), got.Systems)
		},
	}
	return systemsFlags(c, &a, &asJSON)
}

func systemsShowCommand() *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use: "show SYSTEM", Short: "Show a system, its last check and who granted or withdrew its permission", Args: oneSystem,
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.client(c, "viewer")
			if err != nil {
				return err
			}
			var got schemas.System
			if err := api.call(c.Context(), http.MethodGet, systemPath(args[0], ""), nil, 0, &got); err != nil {
				return err
			}
			return printSystem(c, got, asJSON)
		},
	}
	return systemsFlags(c, &a, &asJSON)
}

func systemsCheckCommand() *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use: "check SYSTEM", Short: "Let the running resetd check a system now", Args: oneSystem,
		Long: "Let the running resetd check a system now: with its connections, its rate and the permission that holds. Nothing is changed.\n\n" +
			"Exit status: 0 everything would work, 1 anything would keep a reset from working, 3 resetd refused or cannot be reached.",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.client(c, "operator")
			if err != nil {
				return err
			}
			var got schemas.Check
			if err := api.call(c.Context(), http.MethodPost, systemPath(args[0], "/check"), nil, connectors.CheckLimit, &got); err != nil {
				return err
			}
			all := findingsOf(got)
			if asJSON {
				if err := printJSON(c.OutOrStdout(), got); err != nil {
					return err
				}
			} else {
				printFindings(c.OutOrStdout(), all)
			}
			return problems(all)
		},
	}
	return systemsFlags(c, &a, &asJSON)
}

// permitCommand is a command that decides about the permission of a system; without a permission, it takes the decision
// at run time back.
func permitCommand(verb, summary, long, role string, p schemas.Permission) *cobra.Command {
	var a access
	var asJSON bool
	var reason string
	c := &cobra.Command{
		Use: verb + " SYSTEM", Short: summary, Long: summary + ".\n" + long, Args: oneSystem,
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.client(c, role)
			if err != nil {
				return err
			}
			var got schemas.System
			path := systemPath(args[0], "/enforcement")
			if p == "" {
				err = api.call(c.Context(), http.MethodDelete, path, given("reason", reason), 0, &got)
			} else {
				err = api.put(c.Context(), http.MethodPut, path, schemas.PermissionRequest{Permission: p, Reason: reason}, 0, &got)
			}
			if err != nil {
				return err
			}
			return printSystem(c, got, asJSON)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "for the history: why, in one line")
	return systemsFlags(c, &a, &asJSON)
}

func systemsFlags(c *cobra.Command, a *access, asJSON *bool) *cobra.Command {
	c.Flags().BoolVar(asJSON, "json", false, "print one JSON object")
	a.flags(c)
	return c
}

// given makes a query of one parameter, or none if it is empty.
func given(name, value string) url.Values {
	if value == "" {
		return nil
	}
	return url.Values{name: {value}}
}

// systemPath is the path of a system in the API. The name comes from the command line and is escaped, so that it cannot
// lead to another call.
func systemPath(name, rest string) string { return "/v1/systems/" + url.PathEscape(name) + rest }

// oneSystem wants exactly one name.
func oneSystem(c *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef(c, "give the name of one system; resetd systems list shows them")
	}
	return nil
}

// ago writes how long ago a time was, roughly.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(0, time.Since(t)).Round(time.Second).String() + " ago"
}
