package source

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// preset is what is known of a kind of sender before anybody configures one. The file's name is the preset's name.
type preset struct {
	Title  string `yaml:"title"`
	Verify struct {
		Scheme string `yaml:"scheme"`
	} `yaml:"verify"`
	Map struct {
		Form string `yaml:"form"`
	} `yaml:"map"`
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

func loadPresets() (map[string]preset, error) {
	out := map[string]preset{}
	for _, name := range Presets() {
		text, err := presetFiles.ReadFile("presets/" + name + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("preset %s: %w", name, err)
		}
		var p preset
		if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("preset %s: %w", name, err)
		}
		out[name] = p
	}
	return out, nil
}
