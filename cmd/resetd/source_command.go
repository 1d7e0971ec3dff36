package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

// sourceCommand makes `resetd source` and what lies below it.
func sourceCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "source",
		Short: "List the presets of senders, show how to set one up, try a body on a source, see what sources send",
		Example: `  resetd source list
  resetd source show grafana
  resetd source test -c resetd.yaml alerts --body alert.json`,
	}, sourceListCommand(), sourceShowCommand(), sourceTestCommand(), receiversCommand(), sourceStatusCommand())
}

func sourceListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the presets: which senders are known, and how they prove themselves", Args: noArgs,
		Example: "  resetd source list",
		RunE: func(c *cobra.Command, _ []string) error {
			var all []source.Preset
			for _, name := range source.Presets() {
				p, err := source.LoadPreset(name)
				if err != nil {
					return err
				}
				all = append(all, p)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"presets": presetRows(all)})
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "PRESET\tSCHEME\tEVIDENCE\tSENDER")
			for _, p := range presetRows(all) {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Name, p.Scheme, p.Evidence, p.Title)
			}
			return t.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// presetRow is one line of the list of presets.
type presetRow struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Scheme   string `json:"scheme"`
	Evidence string `json:"evidence"` // documented, or general knowledge that is to be checked
}

func presetRows(all []source.Preset) []presetRow {
	out := make([]presetRow, len(all))
	for i, p := range all {
		out[i] = presetRow{p.Name, p.Title, p.Profile.Verify.Scheme, p.Page.Evidence}
	}
	return out
}

func sourceShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show PRESET", Short: "Show how to set a sender up, what it signs, and where its account stands",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(c, "name one preset; resetd source list shows them")
			}
			if !slices.Contains(source.Presets(), args[0]) {
				return usagef(c, "there is no preset %q; %s", plain(args[0]), insteadOf(args[0], source.Presets()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			p, err := source.LoadPreset(args[0])
			if err != nil {
				return err
			}
			return printPage(c.OutOrStdout(), p)
		},
	}
}

// insteadOf says which preset was meant, perhaps: one that is spelt nearly so, or those that the word is a part of, as okta is of
// okta-event-hook and okta-ssf.
func insteadOf(word string, names []string) string {
	likely := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return len(word) < 3 || !strings.Contains(n, strings.ToLower(word)) })
	if near := config.Nearest(word, names); near != "" && len(likely) == 0 {
		likely = []string{near}
	}
	if len(likely) == 0 {
		return "resetd source list shows them"
	}
	return "did you mean " + strings.Join(likely, " or ") + "?"
}

// printPage prints what a person has to know of a preset.
func printPage(w io.Writer, preset source.Preset) error {
	about := preset.Page
	p := newPage(preset.Name, preset.Title, about.Evidence)
	p.steps("Set it up", about.Setup)
	p.part("Configuration", about.Example)
	p.part("What is signed", fmt.Sprintf("Scheme %s. %s", preset.Profile.Verify.Scheme, about.Signed))
	p.part("Where the account stands", about.Account)
	p.part("What the sender wants to hear", about.Wants)
	p.part("When it sends again", about.Retries)
	p.part("Note", strings.Join(about.Notes, "\n"))
	return p.print(w)
}

func sourceStatusCommand() *cobra.Command {
	var a access
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Show what came from each source of a running resetd, and why the latest was refused", Args: noArgs,
		Example: "  resetd source status -c resetd.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := a.client(c, "viewer")
			if err != nil {
				return err
			}
			var got schemas.SourceList
			if err := api.call(c.Context(), http.MethodGet, "/v1/sources", nil, 0, &got); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), got)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "SOURCE\tPRESET\tSCHEME\tACCEPTED\tREPLAYED\tIGNORED\tREFUSED\tTHROTTLED\tLATEST\tLATEST REFUSAL")
			for _, s := range got.Sources {
				scheme := s.Scheme
				if s.Weak != "" {
					scheme += " (weak)"
				}
				n := s.Counts
				fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", s.Name, s.Preset, scheme, n.Accepted, n.Replayed, n.Ignored, n.Refused, n.Throttled,
					stamp(n.LastAt), cmp.Or(n.LastRefusal, "-"))
			}
			return t.Flush()
		},
	}
	return systemsFlags(c, &a, &asJSON)
}
