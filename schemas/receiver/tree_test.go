package receiver

import (
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestATreeIsTheJSONThatTheFileShows(t *testing.T) {
	const text = `
body:
  text: "{details}"
  "$schema": http://example.com/x
  number: 7
  negative: -3
  float: 0.5
  yes: true
  nothing: null
  one: {single: entry}
  list: [1, "1", [], {}]
  lines: |
    a
    b
`
	var got struct {
		Body Tree `yaml:"body"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"text": "{details}", "$schema": "http://example.com/x", "number": int64(7), "negative": int64(-3), "float": 0.5,
		"yes": true, "nothing": nil, "one": map[string]any{"single": "entry"}, "list": []any{int64(1), "1", []any{}, map[string]any{}}, "lines": "a\nb\n"}
	if !reflect.DeepEqual(got.Body.Value, want) {
		t.Errorf("got %#v", got.Body.Value)
	}
}

func TestATreeRefusesWhatJSONCannotSay(t *testing.T) {
	for name, text := range map[string]string{
		"infinity":          "body: {a: .inf}",
		"not a number":      "body: {a: .nan}",
		"a number as key":   "body: {1: a}",
		"a truth as key":    "body: {true: a}",
		"a merge":           "body: {<<: {a: 1}}",
		"an anchor":         "body: {a: &x 1}",
		"a tag":             "body: {a: !!str 1}",
		"a huge number":     "body: {a: 18446744073709551615}",
		"a key twice":       "body: {a: 1, a: 2}",
		"a bottomless list": "body: " + strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2),
	} {
		var got struct {
			Body Tree `yaml:"body"`
		}
		if err := yaml.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: taken as %#v", name, got.Body.Value)
		}
	}
}
