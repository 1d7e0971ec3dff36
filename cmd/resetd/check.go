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
	"golang.org/x/sync/errgroup"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
)

// checkLimit bounds one check of one part.
const checkLimit = 30 * time.Second

func checkCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check [SYSTEM…]", Short: "Check configuration, ledger, queue and every system, without changing anything",
		Long: "Reads the configuration, reaches the ledger and the queue, logs in to every system and looks at rights, policy, certificate,\n" +
			"clock and rate limit. It changes nothing and may run beside a serving resetd. With names, only these systems are asked;\n" +
			"ledger and queue are not. It goes by the configuration alone: what was granted or withdrawn at run time is known to the\n" +
			"serving resetd, which checks a system by `resetd systems check`.\n\n" +
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
			all, err := check(cmd.Context(), c, names)
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), report{verdictOf(all), all}); err != nil {
					return err
				}
			} else {
				printFindings(cmd.OutOrStdout(), all)
			}
			return problems(all)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", starterName, "configuration file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// finding is one line of the table. The topic is empty where the part has one line only.
type finding struct {
	Part   string               `json:"part"` // configuration, tls, ledger, queue, or the name of a source or system
	Topic  schemas.Topic        `json:"topic,omitempty"`
	State  schemas.FindingState `json:"state"`
	Detail string               `json:"detail"`
}

// report is what check prints as JSON.
type report struct {
	State    schemas.FindingState `json:"state"`
	Findings []finding            `json:"findings"`
}

// check gives what it finds. With names it asks only those systems.
func check(ctx context.Context, c *config.Config, names []string) ([]finding, error) {
	set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = set.Close() }()
	all := []finding{{Part: "configuration", State: schemas.FindingOK,
		Detail: fmt.Sprintf("%s: %s, %s", c.File, counted(len(c.Sources), "source"), counted(len(c.Systems), "system"))}}
	if len(lacking(c)) > 0 {
		all = nil // an empty configuration is not ok
	}
	for _, f := range checkUse(c) {
		if len(names) == 0 || slices.Contains(names, f.Part) {
			all = append(all, f)
		}
	}
	if len(names) == 0 {
		senders, err := checkSenders(ctx, c)
		if err != nil {
			return nil, &exit{exitUsage, err}
		}
		all = append(all, senders...)
		if _, err := serverTLS(c); err != nil {
			all = append(all, finding{Part: "tls", State: schemas.FindingFail, Detail: err.Error()})
		}
		all = append(all, checkLedger(ctx, c))
		all = append(all, checkQueue(ctx, c)...)
	}
	// All at once: several that hang must not add up. The order stays that of the configuration.
	systems := set.Systems()
	checks := make([]schemas.Check, len(systems))
	var asking errgroup.Group
	for i, s := range systems {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		asking.Go(func() (err error) {
			checks[i], err = set.Check(ctx, s.Name)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, err
	}
	for _, got := range checks {
		all = append(all, findingsOf(got)...)
	}
	return all, nil
}

// findingsOf makes the lines of one system. The first topic is left out: the configuration was read, or nothing is checked.
func findingsOf(c schemas.Check) []finding {
	var out []finding
	for _, f := range c.Findings {
		if f.Topic != schemas.TopicConfiguration {
			out = append(out, finding{c.System, f.Topic, f.State, f.Detail})
		}
	}
	return out
}

// The marks by which a line begins; failures catch the eye.
var marks = map[schemas.FindingState]string{schemas.FindingOK: "ok", schemas.FindingUnknown: "?", schemas.FindingWarn: "warn", schemas.FindingFail: "FAIL"}

// printFindings prints a table for people.
func printFindings(out io.Writer, all []finding) {
	for _, f := range all {
		topic := ""
		if f.Topic != "" {
			topic = fmt.Sprintf("%-13s ", f.Topic)
		}
		fmt.Fprintf(out, "%-4s  %-20s %s%s\n", marks[f.State], f.Part, topic, plain(f.Detail))
	}
}

func verdictOf(all []finding) schemas.FindingState {
	states := make([]schemas.Finding, len(all))
	for i, f := range all {
		states[i].State = f.State
	}
	return schemas.Verdict(states)
}

// problems gives the end of a check: nil, or how many things keep a reset from working.
func problems(all []finding) error {
	bad := 0
	for _, f := range all {
		if f.State == schemas.FindingFail {
			bad++
		}
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
