// Command resetd forces password resets: it takes signed webhooks, makes every IAM system that knows an account demand
// a new password, and tells the caller with a signed callback. This package ties the parts together and is the command
// line; package config reads the configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// commands lists what resetd can do, in the order in which the help shows it.
func commands() []*cobra.Command {
	return []*cobra.Command{
		demoCommand(),
		initCommand(),
		kindsCommand(),
		checkCommand(),
		serveCommand(),
		sendCommand(),
		signCommand(),
		tasksCommand(),
		accountsCommand(),
		sourceCommand(),
		systemsCommand(),
		versionCommand(),
	}
}

// run executes one command line and gives its exit status. It may be called several times in one process; SIGINT and
// SIGTERM end the context of the command.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	cobra.EnableCommandSorting = false
	root := group(&cobra.Command{
		Use:   "resetd",
		Short: "Force password resets on signed request, and prove it",
		Long: `resetd forces password resets: a signed webhook goes in, every IAM system that knows the account demands a new
password, and a signed callback comes out.`,
		Example: `  resetd init
  resetd send -c resetd.yaml --source soar --account jdoe@example.com --wait`,
	}, commands()...)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usagef(c, "%s", err) })

	showVersion := false
	root.Flags().BoolVar(&showVersion, "version", false, "show version and Go version of this binary, and the revision if it was built in a checkout")
	help := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if showVersion {
			return printVersion(c.OutOrStdout(), buildInfo())
		}
		return help(c, args)
	}
	strictArgs(root)

	err := root.ExecuteContext(ctx)
	status := exitOK
	if err != nil {
		status = exitUnsuccessful
		if e, ok := errors.AsType[*exit](err); ok {
			if status = e.status; e.err == nil {
				return status
			}
		}
		if _, ok := errors.AsType[config.Faults](err); ok {
			// Each fault begins a line, so that an editor can jump there.
			fmt.Fprintf(errOut, "resetd: the configuration is wrong:\n%s\n", err)
			return status
		}
		fmt.Fprintln(errOut, "resetd: "+err.Error())
	}
	return status
}

// strictArgs makes a wrong number of words a mistake of use in every command.
func strictArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			if _, told := errors.AsType[*exit](err); err == nil || told {
				return err
			}
			return usagef(c, "%s", err)
		}
	}
	for _, below := range c.Commands() {
		strictArgs(below)
	}
}

// group makes a command that only holds others: alone it shows its help, and an unknown name below it is a mistake that
// is told with the nearest names.
func group(c *cobra.Command, below ...*cobra.Command) *cobra.Command {
	c.AddCommand(below...)
	c.SuggestionsMinimumDistance = 2
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		advice := ""
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			advice = "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usagef(c, "there is no command %q%s", args[0], advice)
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}
