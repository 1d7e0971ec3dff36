package config

import (
	"fmt"
	"io"
	"maps"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// Raw is a part of the file whose form only its reader knows: the settings of a system. It prints as nothing, since a
// file with a mistake may hold a literal secret.
type Raw struct{ p *raw }

type raw struct {
	*source
	path  string
	node  ast.Node
	at    position // where to point when the part is not there
	names map[string]string
	// places is where the last Decode found each key.
	places map[string]position
}

// Decode reads the part into a pointer to a struct, by the same rules as the rest of the file: keys are the yaml tags,
// unknown ones are refused; schemas.Secret and signature.Key follow the rule for secrets; time.Duration takes days;
// a string field with the tag path:"file" becomes an absolute path, relative to the configuration file; rules are
// validate tags (go-playground/validator). What is in the struct before stays as the default. The error is Faults.
func (r Raw) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("a system's settings are to be read into a %T, which is no pointer to a struct; please report this", into)
	}
	if r.p == nil {
		r.p = &raw{source: &source{env: func(string) (string, bool) { return "", false }}}
	}
	d := newDecoder(r.p.source, r.p.path, r.p.node)
	if r.p.node == nil {
		d.places[r.p.path] = r.p.at
	}
	maps.Copy(d.names, r.p.names)
	d.value(r.p.path, r.p.node, v.Elem())
	r.p.places = d.places
	d.rules(r.p.path, into)
	if len(d.faults) > 0 {
		return sorted(d.faults)
	}
	return nil
}

// Fault makes a fault of what the reader found wrong after Decode: key is one below this part, such as tls_ca or
// bases[1], and text says what is wrong and what to write instead. Faults{…} of them fits Join.
func (r Raw) Fault(key, text string) Fault {
	if r.p == nil {
		return Fault{Path: key, Text: text}
	}
	d := newDecoder(r.p.source, r.p.path, r.p.node)
	if r.p.node == nil {
		d.places[r.p.path] = r.p.at
	}
	maps.Copy(d.places, r.p.places)
	d.fault(join(r.p.path, key), "%s", text)
	return d.faults[0]
}

// Format writes a mark and none of the settings, whatever the verb.
func (r Raw) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[settings]") }

// MarshalText gives the same mark, for encoders.
func (r Raw) MarshalText() ([]byte, error) { return []byte("[settings]"), nil }
