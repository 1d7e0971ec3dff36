package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

// tasksSealedCommand makes `resetd tasks sealed`: the ciphertext alone, for age to open.
func tasksSealedCommand() *cobra.Command {
	var a access
	c := &cobra.Command{
		Use:   "sealed ID [SYSTEM]",
		Short: "Print the new password of a task as it was encrypted for the help desk",
		Long: "Prints the new password that a task has set, encrypted to the recipients under delivery: in the configuration. Only they\n" +
			"can open it. SYSTEM is needed where the task has set passwords on several systems.",
		Example: "  resetd tasks sealed -c resetd.yaml 01930e7c-5c3b-7b53-b1c0-3f5a7d1f0a11 corp-ad | age -d -i helpdesk.key",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 || args[0] == "" {
				return usagef(c, "give the id of one task, and the system if there are several")
			}
			api, err := a.client(c, "viewer")
			if err != nil {
				return err
			}
			var t schemas.Task
			if err := api.call(c.Context(), http.MethodGet, taskPath(args[0], ""), nil, 0, &t); err != nil {
				return err
			}
			text, err := sealedOf(t, args[1:])
			if err != nil {
				return &exit{exitUnsuccessful, err}
			}
			_, err = fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
	a.flags(c)
	return c
}

// sealedOf gives the one sealed password of a task, or of one of its systems.
func sealedOf(t schemas.Task, system []string) (string, error) {
	var found []schemas.Enforcement
	for _, n := range t.Enforcements {
		if n.Sealed != "" && (len(system) == 0 || n.System == system[0]) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 0:
		for _, n := range t.Enforcements {
			if n.CoalescedWith != nil && (len(system) == 0 || n.System == system[0]) {
				return "", fmt.Errorf("the password was set by task %[1]s, which did it for this one too; ask for that: resetd tasks sealed %[1]s", n.CoalescedWith.TaskID)
			}
		}
		return "", errors.New("the task has no sealed password there; only randomize sets one, and only with recipients under delivery: in the configuration; " +
			"none is left either of a reset whose answer was lost, or whose worker ended before it could be recorded: ask for another reset then")
	case 1:
		return found[0].Sealed, nil
	}
	return "", fmt.Errorf("the task has set passwords on %d systems; name one of them behind the id", len(found))
}
