package source_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// What a page tells to lay over its preset must be what can be laid over it.
func TestWhatPagesLayOverTheirPresetsCompiles(t *testing.T) {
	for _, name := range source.Presets() {
		p, err := source.LoadPreset(name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, note := range p.Page.Notes {
			for _, block := range blocks(note) {
				var over sender.Profile
				if err := yaml.UnmarshalWithOptions([]byte(block), &over, yaml.Strict()); err != nil {
					t.Errorf("preset %s: what the page tells to lay over it cannot be read: %v", name, err)
					continue
				}
				preview(t, name, over)
			}
		}
	}
}

func preview(t *testing.T, preset string, over sender.Profile) {
	t.Helper()
	if _, err := source.Preview(source.Config{Name: "sender", Preset: preset, Profile: over}, schemas.NewValidator()); err != nil {
		t.Errorf("preset %s: %v", preset, err)
	}
}

// blocks gives the indented parts of a note that are written in the words of a source.
func blocks(note string) (out []string) {
	var b strings.Builder
	for line := range strings.Lines(note + "\n.") {
		switch {
		case strings.HasPrefix(line, "    "):
			b.WriteString(line[4:])
		case strings.TrimSpace(line) == "" && b.Len() > 0:
			b.WriteString("\n")
		case b.Len() > 0:
			for _, word := range []string{"verify:", "read:", "map:", "ignore_when:", "refuse_when:", "respond:"} {
				if strings.HasPrefix(b.String(), word) {
					out = append(out, b.String())
					break
				}
			}
			b.Reset()
		}
	}
	return out
}
