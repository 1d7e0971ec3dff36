package format

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/schemas/receiver"
)

//go:embed presets/*.yaml
var files embed.FS

// Info is a format for people: its name and what is known of it.
type Info struct {
	Name string
	receiver.Preset
}

// Formats lists every format, those without a template first, then the presets by name, custom last.
func Formats() ([]Info, error) {
	out := []Info{
		{receiver.Standard, receiver.Preset{Title: "resetd's own message, signed (Standard Webhooks); the default", Evidence: "documented", URL: "https://soar.example.com/hooks/resetd"}},
		{receiver.CloudEvents, receiver.Preset{Title: "CloudEvents 1.0 in structured JSON mode, signed as standard is", Evidence: "documented", URL: "https://events.example.com/in"}},
	}
	for _, name := range names() {
		p, err := load(name)
		if err != nil {
			return nil, err
		}
		out = append(out, Info{name, p})
	}
	return append(out, Info{receiver.Custom, receiver.Preset{Title: "a template of your own, written under callback.template", URL: "https://tool.example.com/api"}}), nil
}

// names lists the presets.
func names() []string {
	entries, err := files.ReadDir("presets")
	if err != nil {
		return nil // it is part of the program
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// load reads a preset. The error says which there are.
func load(name string) (receiver.Preset, error) {
	var p receiver.Preset
	if !slices.Contains(names(), name) {
		return p, fmt.Errorf("there is no such format; use %s, %s, %s or %s", receiver.Standard, receiver.CloudEvents, strings.Join(names(), ", "), receiver.Custom)
	}
	raw, err := files.ReadFile(path.Join("presets", name+".yaml"))
	if err != nil {
		return p, fmt.Errorf("the preset %s cannot be read; please report this: %w", name, err)
	}
	if err := yaml.UnmarshalWithOptions(raw, &p, yaml.Strict()); err != nil {
		return p, fmt.Errorf("the preset %s is broken; please report this: %w", name, err)
	}
	return p, nil
}
