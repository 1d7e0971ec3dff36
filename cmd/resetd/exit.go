package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// The exit statuses, in the order of their gravity for `resetd send`. Scripts rely on them.
const (
	exitOK           = 0
	exitUnsuccessful = 1 // a task ended otherwise than successful, or a command failed on this machine
	exitUsage        = 2 // the command line or the configuration is wrong; nothing was done
	exitRefused      = 3 // resetd refused, or cannot be reached
	exitNotFinal     = 4 // --wait ended before the task did
)

// exit is an error that brings its exit status. Without an err it says nothing, because everything was said.
type exit struct {
	status int
	err    error
}

// Error gives the text for a person.
func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

// Unwrap gives the error underneath.
func (e *exit) Unwrap() error { return e.err }

// usagef is a mistake in the command line: it names the help that shows how to do it.
func usagef(c *cobra.Command, format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format+"\nSee: %s --help", append(args, c.CommandPath())...)}
}

// noArgs refuses anything beside flags.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(c, "%q is one word too many; this command takes flags only", args[0])
	}
	return nil
}
