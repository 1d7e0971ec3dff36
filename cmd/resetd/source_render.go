package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// trial is what came of trying a body on a source.
type trial struct {
	Source       string            `json:"source"`
	Preset       string            `json:"preset"`
	Scheme       string            `json:"scheme"`
	Verification string            `json:"verification"`
	Handshake    string            `json:"handshake,omitempty"`
	Refused      bool              `json:"refused"`
	Problem      *schemas.Problem  `json:"problem,omitempty"`
	Ignored      string            `json:"ignored,omitempty"`
	Skipped      int               `json:"skipped,omitempty"`
	Systems      []string          `json:"systems,omitempty"` // that a request goes to if it names none
	Requests     []schemas.Request `json:"requests,omitempty"`
}

// refuse notes with which problem the delivery is refused.
func (t *trial) refuse(err error) *trial {
	t.Refused = true
	t.Problem, _ = errors.AsType[*schemas.Problem](err)
	return t
}

// print writes the trial as a person reads it.
func (t *trial) print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-13s %s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	line("verification", "%s (%s)", t.Verification, t.Scheme)
	switch {
	case t.Handshake != "":
		line("handshake", "%s", t.Handshake)
	case t.Problem != nil:
		line("mapping", "refused with %d: %s", t.Problem.Status, t.Problem.Error())
		for _, e := range t.Problem.Errors {
			line("", "%s %s", cmp.Or(e.Pointer, "(body)"), e.Detail)
		}
	case t.Refused:
	case t.Ignored != "":
		line("mapping", "acknowledged, and nothing is asked for: %s", t.Ignored)
	default:
		line("mapping", "%s%s", counted(len(t.Requests), "request"), skipped(t.Skipped))
	}
	for i, r := range t.Requests {
		line(fmt.Sprintf("request %d", i+1), "%s (%s), mode %s%s", r.Account.Value, r.Account.Type, r.Mode, t.where(r))
		for _, more := range []struct{ name, text string }{{"reference", r.Reference}, {"description", r.Description}, {"occurred at", moment(r.OccurredAt)}} {
			if more.text != "" {
				line("", "%s: %s", more.name, strings.Join(strings.Fields(more.text), " "))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *trial) where(r schemas.Request) string {
	systems := r.Systems
	if len(systems) == 0 {
		systems = t.Systems
	}
	text := ""
	if len(systems) > 0 {
		text = ", on " + strings.Join(systems, ", ")
	}
	if r.DryRun {
		text += ", dry run"
	}
	if r.RevokeSessions != nil && !*r.RevokeSessions {
		text += ", sessions stay"
	}
	return text
}

func skipped(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d left out by rules", n)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
