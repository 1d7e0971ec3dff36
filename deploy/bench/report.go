package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

// report is what a run has measured. It does not judge: a missed aim is a line that says no.
type report struct {
	Conditions []condition `json:"conditions"`
	Lines      []line      `json:"lines"`
	// Failures are what could not be measured, and promises that were broken.
	Failures []string `json:"failures"`
}

type condition struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// line is one figure. Aim is empty for what is told without one.
type line struct {
	What    string    `json:"what"`
	Value   float64   `json:"value"`
	Unit    string    `json:"unit"`
	Rounds  []float64 `json:"rounds,omitempty"` // of which Value is the median
	P50     *float64  `json:"p50,omitempty"`    // beside a higher percentile
	Aim     string    `json:"aim,omitempty"`
	Reached *bool     `json:"reached,omitempty"`
}

// tell adds a figure without an aim. It gives the line so that the rounds can be added.
func (r *report) tell(what, unit string, value float64) *line {
	r.Lines = append(r.Lines, line{What: what, Unit: unit, Value: value})
	return &r.Lines[len(r.Lines)-1]
}

// atLeast and atMost add a figure with its aim.
func (r *report) atLeast(what, unit string, value, aim float64) *line {
	return r.tell(what, unit, value).hold("≥ "+number(aim), value >= aim)
}

func (r *report) atMost(what, unit string, value, aim float64) *line {
	return r.tell(what, unit, value).hold("≤ "+number(aim), value <= aim)
}

func (l *line) hold(aim string, reached bool) *line {
	l.Aim, l.Reached = aim, &reached
	return l
}

func (l *line) beside(p50 float64) { l.P50 = &p50 }

func (l *line) of(rounds []float64) { l.Rounds = rounds }

func (r *report) failed(part string, err error) {
	r.Failures = append(r.Failures, part+": "+err.Error())
}

// print writes the table.
func (r *report) print(out io.Writer) error {
	fmt.Fprintln(out)
	for _, c := range r.Conditions {
		fmt.Fprintf(out, "%s: %s\n", c.Name, c.Value)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tMEASURED\tAIM\tREACHED")
	for _, l := range r.Lines {
		reached := ""
		if l.Reached != nil {
			reached = map[bool]string{true: "yes", false: "NO"}[*l.Reached]
		}
		measured := strings.TrimSpace(number(l.Value) + " " + l.Unit)
		if l.P50 != nil {
			measured += " (p50 " + number(*l.P50) + ")"
		}
		if len(l.Rounds) > 1 {
			texts := make([]string, len(l.Rounds))
			for i, v := range l.Rounds {
				texts[i] = number(v)
			}
			measured += " (" + strings.Join(texts, ", ") + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.What, measured, l.Aim, reached)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Failures {
		fmt.Fprintln(out, "FAILED  "+f)
	}
	return nil
}

// save writes everything as JSON.
func (r *report) save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// number writes a figure with three digits that mean something, and whole numbers whole.
func number(v float64) string {
	switch {
	case v == math.Trunc(v) || math.Abs(v) >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
