package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

var (
	schemaFile  = filepath.Join("..", "..", "..", "schemas", "config.schema.json")
	exampleFile = filepath.Join("..", "..", "..", "deploy", "resetd.example.yaml")
)

// node is one place in the JSON Schema.
type node struct {
	Ref         string          `json:"$ref"`
	Description string          `json:"description"`
	Properties  map[string]node `json:"properties"`
	Items       *node           `json:"items"`
	Additional  any             `json:"additionalProperties"` // false, or the form of a free key's value
	Default     any             `json:"default"`
	Enum        []any           `json:"enum"`
	Defs        map[string]node `json:"$defs"`
}

func readSchema(t *testing.T) node {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root node
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// at follows a reference and keeps what stands beside it.
func (n node) at(root node) node {
	if n.Ref == "" {
		return n
	}
	to := root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
	if n.Description != "" {
		to.Description = n.Description
	}
	if n.Default != nil {
		to.Default = n.Default
	}
	return to
}

// TestTheJSONSchemaHasEveryKeyAndNoOther walks the Go types and the schema together.
func TestTheJSONSchemaHasEveryKeyAndNoOther(t *testing.T) {
	root := readSchema(t)
	defaults := map[string]string{}
	for _, row := range config.Defaults() {
		defaults[row.Key] = row.Value
	}
	var walk func(path string, typ reflect.Type, n node)
	walk = func(path string, typ reflect.Type, n node) {
		n = n.at(root)
		if typ.Kind() == reflect.Slice && n.Items != nil {
			if typ.Elem().Kind() == reflect.Struct {
				walk(path+"[]", typ.Elem(), *n.Items)
			}
			return
		}
		n.Properties = maps.Clone(n.Properties) // a definition may be used in several places
		keys := keysOf(typ)
		if len(keys) == 0 && n.Properties == nil {
			return
		}
		if n.Additional != false {
			t.Errorf("%s: the schema lets unknown keys pass", path)
		}
		for key, typ := range keys {
			at := strings.TrimPrefix(path+"."+key, ".")
			sub, ok := n.Properties[key]
			if !ok {
				t.Errorf("%s: not in the schema", at)
				continue
			}
			sub = sub.at(root)
			if sub.Description == "" {
				t.Errorf("%s: no description", at)
			}
			if want, ok := defaults[at]; ok && fmt.Sprint(sub.Default) != want && fmt.Sprint(sub.Default) != "["+want+"]" {
				t.Errorf("%s: the schema's default is %v, ours %s", at, sub.Default, want)
			} else if !ok && sub.Default != nil && sub.Default != false {
				t.Errorf("%s: the schema has the default %v, we have none", at, sub.Default)
			}
			walk(at, typ, sub)
			delete(n.Properties, key)
			delete(defaults, at)
		}
		for key := range n.Properties {
			t.Errorf("%s.%s: in the schema only", path, key)
		}
	}
	walk("", reflect.TypeFor[config.Config](), root)
	if len(defaults) != 0 {
		t.Errorf("defaults for keys that do not exist: %v", slices.Collect(maps.Keys(defaults)))
	}
	if got := readSchema(t).Defs["token"].Properties["role"].Enum; fmt.Sprint(got) != fmt.Sprint(config.Roles()) {
		t.Errorf("roles: %v", got)
	}
}

// keysOf lists the yaml keys of a struct of this package; other types are leaves.
func keysOf(typ reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	if typ.Kind() != reflect.Struct {
		return out
	}
	for _, f := range reflect.VisibleFields(typ) {
		if key := f.Tag.Get("yaml"); key != "" && key != "-" {
			out[key] = f.Type
		}
	}
	return out
}

// validates tells whether a YAML text fits the JSON Schema, as an editor would see it.
func validates(t *testing.T, text []byte) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	compiler.AssertFormat()
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestTheJSONSchemaAgreesWithTheLoader(t *testing.T) {
	for text, good := range map[string]bool{
		designed: true, minimal: true, "guard:\napi:\n": true, "listen: ':8080'\n": true, "listen: '${HOST}:1'\n": true, "ledger: ${WHOLE}\n": true,
		"queue: redis+cluster://a:1,b:2\n": true, "retention: {tasks: 1d12h}\n": true, "trusted_proxies:\ntls:\n": true,
		sourceWith(systems, "verify:", "map:", "read:", "respond:", "limits:", "handshake:", "ignore_when:", "refuse_when:", "own_actors:"): true,
		sourceWith(systems, verify, "map:", "  account: >-", "    =first([body.a,", "    body.b])", "  reference: $.id"):                    true,
		sourceWith(systems, verify, "coalesce: off", "limits: {deliveries: 600/m}", "respond: {status: 204}"):                               true,
		sourceWith(systems, verify, "map: {account: 5}"):                                                                                    false, sourceWith(systems, verify, "handshake: [a, b, c, d, e]"): false,
		sourceWith(systems, verify, "coalesce: 25"): false, sourceWith(systems, verify, "respond: {status: '204'}"): false,
		sourceWith(systems, verify, "ignore_when: [{if: a}]"): false, sourceWith(systems, verify, "read: {as: xml}"): false,
		"lisen: x\n": false, "ledger: mysql://x\n": false, "queue: sqlite\n": false, "log: {level: loud}\n": false, "guard: {a: 1}\n": false,
		"retention: {tasks: 365}\n": false, "api: {tokens: [{name: a, role: root, token: '${OPS_TOKEN}'}]}\n": false,
		"api: {tokens: [{name: a, role: admin, token: literal-literal-literal}]}\n":   false,
		strings.Replace(minimal, "name: soar", "name: api", 1):                        false,
		strings.Replace(minimal, "kind: openldap", "rate: 20/s", 1):                   false,
		strings.Replace(minimal, "kind: openldap", "kind: openldap\n    rate: 20", 1): false,
		sourceWith(systems, verify, "callback: {key: '${CALLBACK_KEY}', keys: []}"):   false,
	} {
		e := testEnv()
		e["WHOLE"] = "postgres://db/r"
		if err := validates(t, []byte(text)); (err == nil) != good {
			t.Errorf("the schema on %q: %v", text, err)
		}
		if _, err := load(t, text, e); (err == nil) != good {
			t.Errorf("the loader on %q: %v", text, err)
		}
	}
}

func TestTheExampleLoadsAndShowsEveryKey(t *testing.T) {
	e := testEnv()
	e["SOAR_CALLBACK_KEY"], e["SOAR_KEY_2"] = e["CALLBACK_KEY"], signature.GenerateSymmetric().Reveal()
	c, err := config.Load(exampleFile, known(), e.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings()) != 0 || len(c.Sources) == 0 || len(c.Systems) == 0 || len(c.API.Tokens) == 0 {
		t.Fatalf("%v, %+v", c.Warnings(), c)
	}
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := validates(t, text); err != nil {
		t.Error(err)
	}
	var walk func(n node)
	root := readSchema(t)
	walk = func(n node) {
		n = n.at(root)
		for key, sub := range n.Properties {
			if !strings.Contains(string(text), key+":") && key != "keys" {
				t.Errorf("the example does not show %s", key)
			}
			walk(sub)
		}
		if n.Items != nil {
			walk(*n.Items)
		}
	}
	walk(root)
}
