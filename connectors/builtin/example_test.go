package builtin_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/builtin"
)

// settingForm is a line of an example: a setting, which is commented out if it may be left out.
var settingForm = regexp.MustCompile(`^(# )?([a-z][a-z0-9_]*): (.+)$`)

// setting is one line of an example.
type setting struct {
	key, line string // the line without the mark of a comment
	live      bool
}

// settingsOf reads an example, which has nothing but settings.
func settingsOf(t *testing.T, example string) (out []setting) {
	t.Helper()
	for line := range strings.Lines(example) {
		m := settingForm.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			t.Fatalf("no setting, live or behind %q: %s", "# ", line)
		}
		out = append(out, setting{key: m[2], line: m[2] + ": " + m[3], live: m[1] == ""})
	}
	return out
}

// yamlKeys gives the keys that a struct of settings is read from.
func yamlKeys(s reflect.Type) (keys []string) {
	for i := range s.NumField() {
		switch f := s.Field(i); f.Tag.Get("yaml") {
		case "":
		case ",inline":
			keys = append(keys, yamlKeys(f.Type)...)
		default:
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}

func TestEveryExampleShowsEverySettingOnce(t *testing.T) {
	for _, k := range builtin.Kinds() {
		var shown []string
		for _, s := range settingsOf(t, k.Example) {
			shown = append(shown, s.key)
		}
		keys := yamlKeys(reflect.TypeOf(k.New()).Elem())
		slices.Sort(shown)
		slices.Sort(keys)
		if len(keys) == 0 || !slices.Equal(shown, keys) {
			t.Errorf("%s: the example shows\n%v, and Config has\n%v", k.Name, shown, keys)
		}
	}
}

// Whoever pastes an example must fill in what is live, and nothing else.
func TestExamplesLeaveNothingLiveThatMayBeLeftOut(t *testing.T) {
	for _, k := range builtin.Kinds() {
		all := settingsOf(t, k.Example)
		for i, left := range all {
			if !left.live {
				continue
			}
			var rest []string
			for j, s := range all {
				if s.live && i != j {
					rest = append(rest, s.line)
				}
			}
			config := k.New()
			if err := decodeStrictly(strings.Join(rest, "\n"), config); err != nil {
				t.Fatalf("%s without %s: %v", k.Name, left.key, err)
			}
			if config.Validate() == nil {
				t.Errorf("%s: %s may be left out; comment it out", k.Name, left.key)
			}
		}
	}
}

// What is commented out must be right once the mark is taken away: the type of the value by the decoder, and the value by
// Validate, which may complain of another key alone, as of two that exclude each other.
func TestWhatExamplesCommentOutCanBeTakenIn(t *testing.T) {
	for _, k := range builtin.Kinds() {
		var live []string
		for _, s := range settingsOf(t, k.Example) {
			if s.live {
				live = append(live, s.line)
			}
		}
		for _, s := range settingsOf(t, k.Example) {
			if s.live {
				continue
			}
			config := k.New()
			if err := decodeStrictly(strings.Join(append(slices.Clone(live), s.line), "\n"), config); err != nil {
				t.Errorf("%s: %s is not taken: %v", k.Name, s.line, err)
				continue
			}
			for _, mistake := range mistakesOf(config.Validate()) {
				if !strings.Contains(mistake.Text, "is set too") && !strings.Contains(mistake.Text, "without role_arn") &&
					!strings.Contains(mistake.Text, "beside web_identity_token_file") && !strings.Contains(mistake.Text, "remove start_tls") {
					t.Errorf("%s: %s is no good sample: %v", k.Name, s.line, mistake)
				}
			}
		}
	}
}

func decodeStrictly(text string, into any) error {
	return yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict())
}

// mistakesOf takes an error of Validate apart.
func mistakesOf(err error) (out []*connectors.ConfigError) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, one := range joined.Unwrap() {
		if m, ok := one.(*connectors.ConfigError); ok {
			out = append(out, m)
		}
	}
	return out
}
