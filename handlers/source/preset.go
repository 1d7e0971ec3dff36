package source

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/schemas/sender"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// Preset is what is known of a kind of sender before anybody configures one. The file's name is the preset's name.
type Preset struct {
	Name    string         `yaml:"-"`
	Title   string         `yaml:"title"`
	Profile sender.Profile `yaml:",inline"`
	Page    Page           `yaml:"page"`
}

// Page is what a person reads of a preset.
type Page struct {
	// Evidence is documented (the vendor's documentation or source was read) or general (general knowledge: check it
	// against your own sender before you rely on it).
	Evidence string   `yaml:"evidence"`
	Setup    []string `yaml:"setup"`   // the steps at the sender's side, in order
	Signed   string   `yaml:"signed"`  // what its signature or credential covers
	Wants    string   `yaml:"wants"`   // which answers it wants
	Retries  string   `yaml:"retries"` // when it sends again
	Account  string   `yaml:"account"` // where the account is looked for, and what is refused
	Notes    []string `yaml:"notes"`
	Example  string   `yaml:"example"` // an entry for the configuration
}

// Presets lists the names of the presets in alphabetical order.
func Presets() []string {
	files, err := fs.Glob(presetFiles, "presets/*.yaml")
	if err != nil {
		panic(err) // only for a malformed pattern above
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// LoadPreset reads a preset. The error says what is wrong with its file, or that there is none.
func LoadPreset(name string) (Preset, error) {
	text, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return Preset{}, fmt.Errorf("there is no preset %q; use one of %s", name, strings.Join(Presets(), ", "))
	}
	p := Preset{Name: name}
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return Preset{}, fmt.Errorf("preset %s: %w", name, err)
	}
	return p, nil
}
