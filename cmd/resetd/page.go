package main

import (
	"fmt"
	"io"
	"strings"
)

// page is what a person reads of a preset: a title, and parts with a heading.
type page struct{ b strings.Builder }

func newPage(name, title, evidence string) *page {
	p := &page{}
	fmt.Fprintf(&p.b, "%s: %s\n", name, title)
	if evidence == "general" {
		p.b.WriteString("General knowledge, not read in the vendor's documentation: check it against your own system before you rely on it.\n")
	}
	return p
}

// part adds a part, unless it is empty.
func (p *page) part(title, text string) {
	if text = strings.TrimSpace(text); text != "" {
		fmt.Fprintf(&p.b, "\n%s\n  %s\n", title, strings.ReplaceAll(text, "\n", "\n  "))
	}
}

// steps adds a part of numbered steps.
func (p *page) steps(title string, steps []string) {
	var lines []string
	for i, s := range steps {
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, strings.TrimSpace(s)))
	}
	p.part(title, strings.Join(lines, "\n"))
}

func (p *page) print(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}
