package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

// build is what the binary knows of its making.
type build struct {
	Version  string `json:"version"` // (devel) when it was not built from a module version
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`     // of the revision
	Modified bool   `json:"modified,omitempty"` // the working tree had changes
	Go       string `json:"go"`
}

// buildInfo reads what the go command put into the binary (debug.ReadBuildInfo). Nothing is set by linker flags, so that
// every build of a commit is the same.
func buildInfo() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	b := build{Version: info.Main.Version, Go: info.GoVersion}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// version is what this binary calls itself.
func version() string { return buildInfo().Version }

// versionCommand makes `resetd version`.
func versionCommand() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "version",
		Short: "Show version and Go version of this binary, and the revision if it was built in a checkout",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b := buildInfo()
			if asJSON {
				return printJSON(c.OutOrStdout(), b)
			}
			return printVersion(c.OutOrStdout(), b)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// printVersion writes what this binary is for a person.
func printVersion(w io.Writer, b build) error {
	lines := "resetd " + b.Version + "\n"
	if b.Revision != "" {
		changed := map[bool]string{true: ", with changes"}[b.Modified]
		lines += fmt.Sprintf("revision %s of %s%s\n", b.Revision, b.Time, changed)
	}
	_, err := fmt.Fprintln(w, lines+b.Go)
	return err
}

// printJSON writes a value as one line of JSON.
func printJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("the output cannot be written as JSON: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}
