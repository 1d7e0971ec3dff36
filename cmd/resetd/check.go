package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// checkLimit bounds one check of one part.
const checkLimit = 30 * time.Second

func checkCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "check [SYSTEM…]", Short: "Check configuration, ledger, queue and every system, without changing anything",
		Long: "Reads the configuration, reaches the ledger and the queue, logs in to every system and looks at rights and policy. It\n" +
			"changes nothing and may run beside a serving resetd. With names, only these systems are asked; ledger and queue are not.\n\n" +
			"Exit status: 0 everything would work, 1 anything would keep a reset from working, 2 the configuration is wrong.",
		Example: "  resetd check -c resetd.yaml\n  resetd check -c resetd.yaml corp-ldap",
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			for _, name := range names {
				if !slices.Contains(c.SystemNames(), name) {
					return usagef(cmd, "%s has no system %q; its systems are %s", c.File, plain(name), dash(strings.Join(c.SystemNames(), ", ")))
				}
			}
			return check(cmd.Context(), c, names, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", starterName, "configuration file")
	return cmd
}

// mark says how grave a finding is; it stands first in its line.
type mark string

const (
	markOK   mark = "ok"
	markWarn mark = "warn"
	markFail mark = "FAIL"
)

// finding is one line of the table.
type finding struct {
	mark mark
	what string
	text string
}

// check prints what it finds. With names it asks only those systems.
func check(ctx context.Context, c *config.Config, names []string, out io.Writer) error {
	set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { _ = set.Close() }()
	all := []finding{{markOK, "configuration", fmt.Sprintf("%s: %s, %s", c.File, counted(len(c.Sources), "source"), counted(len(c.Systems), "system"))}}
	if len(names) == 0 {
		all = append(all, checkLedger(ctx, c))
		all = append(all, checkQueue(ctx, c)...)
	}
	for _, s := range set.Systems() {
		if len(names) == 0 || slices.Contains(names, s.Name) {
			all = append(all, checkSystem(ctx, set, s)...)
		}
	}
	bad := 0
	for _, f := range all {
		if f.mark == markFail {
			bad++
		}
		fmt.Fprintf(out, "%-4s  %-20s %s\n", f.mark, f.what, plain(f.text))
	}
	switch bad {
	case 0:
		return nil
	case 1:
		return &exit{exitUnsuccessful, errors.New("1 problem was found; its line above says what to do")}
	}
	return &exit{exitUnsuccessful, fmt.Errorf("%d problems were found; each line above says what to do", bad)}
}

// counted writes a number with its noun: 1 source, 2 sources.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// checkSystem gives one line for the system, and one more for each thing to do.
func checkSystem(ctx context.Context, set *connectors.Set, s connectors.Info) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	began := time.Now()
	caps, err := set.Probe(ctx, s.Name)
	if err != nil {
		return []finding{{markFail, s.Name, fmt.Sprintf("%s: %s", s.Kind, err)}}
	}
	modes := make([]string, len(caps.Modes))
	for i, m := range caps.Modes {
		modes[i] = string(m)
	}
	revoke := "ends sessions"
	if !caps.Revoke {
		revoke = "cannot end sessions (" + string(schemas.CodeUnsupported) + ")"
	}
	out := []finding{{markOK, s.Name, fmt.Sprintf("%s answers in %d ms; modes: %s; %s", orText(caps.Product, s.Kind), time.Since(began).Milliseconds(), strings.Join(modes, ", "), revoke)}}
	if !s.Granted {
		out = append(out, finding{markFail, s.Name, "resets are not permitted here; set enforcement: granted under the system to permit them"})
	}
	for _, m := range append(caps.Missing, caps.Unenforced...) {
		out = append(out, finding{markFail, s.Name, m})
	}
	for _, w := range caps.Warn {
		out = append(out, finding{markWarn, s.Name, w})
	}
	return out
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
