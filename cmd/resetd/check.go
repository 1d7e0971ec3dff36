package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/jobs/queue"
	"github.com/resetd/resetd/schemas"
)

// checkLimit bounds one check of one part.
const checkLimit = 30 * time.Second

func checkCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "check", Short: "Check the configuration, the queue and every system, without changing anything", Args: noArgs,
		Long: "Reads the configuration, reaches the queue, logs in to every system and looks at rights and policy. It changes nothing and\n" +
			"may run beside a serving resetd. The exit status is 1 when anything would keep a reset from working.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			return check(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "resetd.yaml", "configuration file")
	return cmd
}

// finding is one line of the table.
type finding struct {
	what string
	bad  bool
	text string
}

func check(ctx context.Context, c *config.Config, out io.Writer) error {
	var all []finding
	all = append(all, finding{"configuration", false, fmt.Sprintf("%s: %d sources, %d systems", c.File, len(c.Sources), len(c.Systems))})
	all = append(all, checkQueue(ctx, c))
	set, err := openSystems(c, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { _ = set.Close() }()
	for _, s := range set.Systems() {
		all = append(all, checkSystem(ctx, set, s)...)
	}
	bad := 0
	for _, f := range all {
		mark := "ok  "
		if f.bad {
			mark = "FAIL"
			bad++
		}
		fmt.Fprintf(out, "%s  %-20s %s\n", mark, f.what, f.text)
	}
	if bad > 0 {
		return &exit{exitUnsuccessful, fmt.Errorf("%d problems were found; each line above says what to do", bad)}
	}
	return nil
}

func checkQueue(ctx context.Context, c *config.Config) finding {
	f := finding{what: "queue", text: c.Queue.String()}
	if c.Queue.Local() {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	var warnings strings.Builder
	q, err := queue.Open(ctx, queue.Options{URL: backendURL(c.Queue), Logger: zerolog.New(zerolog.ConsoleWriter{Out: &warnings, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName}})})
	if err != nil {
		return finding{f.what, true, err.Error()}
	}
	_ = q.Close(ctx)
	if w := strings.TrimSpace(warnings.String()); w != "" {
		f.text += " (" + w + ")"
	}
	return f
}

// checkSystem gives one line for the system, and one more for each thing to do.
func checkSystem(ctx context.Context, set *connectors.Set, s connectors.Info) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	began := time.Now()
	caps, err := set.Probe(ctx, s.Name)
	if err != nil {
		return []finding{{s.Name, true, fmt.Sprintf("%s: %s", s.Kind, err)}}
	}
	modes := make([]string, len(caps.Modes))
	for i, m := range caps.Modes {
		modes[i] = string(m)
	}
	revoke := "ends sessions"
	if !caps.Revoke {
		revoke = "cannot end sessions (" + string(schemas.CodeUnsupported) + ")"
	}
	out := []finding{{s.Name, false, fmt.Sprintf("%s answers in %d ms; modes: %s; %s", orText(caps.Product, s.Kind), time.Since(began).Milliseconds(), strings.Join(modes, ", "), revoke)}}
	if !s.Granted {
		out = append(out, finding{s.Name, true, "resets are not permitted here; set enforcement: granted under the system to permit them"})
	}
	for _, m := range caps.Missing {
		out = append(out, finding{s.Name, true, m})
	}
	for _, w := range caps.Warn {
		out = append(out, finding{s.Name, false, "warning: " + w})
	}
	return out
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
