package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/handlers/source/mapping"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// API is the source name under which requests of operators are recorded. No sender may bear it: its idempotency keys
// would meet those of the operators.
const API = "api"

// The schemes that this package has to tell apart.
const (
	schemeStandard = "standard-webhooks"
	schemeSecret   = "shared-secret"
	schemeJWT      = "jwt"
	schemeSET      = "ssf-set"
)

// asNative is how resetd's own body is read.
const asNative = "native"

// Config describes one source, as the configuration file has it.
//
//	name: grafana
//	preset: grafana
//	verify: {keys: ["${GRAFANA_KEY}"]}
type Config struct {
	Name    string         // schemas.NameForm; it is the part of the sender's URL behind /v1/hooks/
	Preset  string         // one of Presets
	Profile sender.Profile // what it says is laid over the preset
	// MaxAge is how old what is reported may be; zero is DefaultMaxAge where the proof does not cover the time of sending, and
	// no bound elsewhere.
	MaxAge time.Duration
	// RepeatWithin is how long a body that was seen before counts as the same delivery, where the proof covers no id; zero
	// is the default of the scheme.
	RepeatWithin time.Duration
	// OwnActors are the names under which resetd itself appears in what the sender reports.
	OwnActors []string
	Limits    Limits
}

// Fault is what is wrong with one source.
type Fault struct {
	Source int    // its place in the list
	Path   string // where below the source, such as verify.keys[1] or map.account[0]; empty for the source as a whole
	Text   string // what is wrong and what to write instead; it holds no part of a key
}

// Error implements error.
func (f *Fault) Error() string {
	if f.Path == "" {
		return fmt.Sprintf("sources[%d]: %s", f.Source, f.Text)
	}
	return fmt.Sprintf("sources[%d].%s: %s", f.Source, f.Path, f.Text)
}

// New makes the sources. The error joins one *Fault for everything that is wrong.
func New(configs []Config, v *schemas.Validator, o verify.Options) (*Set, error) {
	if v == nil {
		return nil, errors.New("sources: the validator is missing")
	}
	nobody, err := newNobody(v)
	if err != nil {
		return nil, err
	}
	set := &Set{byName: make(map[string]*Source, len(configs)), nobody: nobody}
	keys, names := owners{}, map[string]bool{}
	var bad []error
	for i, c := range configs {
		src, faults := build(c, v, o)
		if names[c.Name] {
			faults = append(faults, &Fault{Path: "name", Text: "this name is taken by another source; give each its own"})
		}
		names[c.Name] = true
		for _, f := range slices.Concat(faults, keys.claim(i, c)) {
			f.Source = i
			bad = append(bad, f)
		}
		if src != nil {
			set.byName[c.Name] = src
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return set, nil
}

// newNobody makes the source that stands for unknown names: its key is random and is forgotten at once.
func newNobody(v *schemas.Validator) (*Source, error) {
	p := sender.Verify{Scheme: schemeStandard, Keys: []schemas.Secret{schemas.NewSecret(signature.GenerateSymmetric().Reveal())}}
	scheme, err := verify.Open(p, verify.Options{})
	if err != nil {
		return nil, fmt.Errorf("stand-in for unknown sources: %w", err)
	}
	return &Source{Scheme: schemeStandard, scheme: scheme, read: newReader(sender.Read{}, schemeStandard), mapper: native{v}, media: []string{mediaJSON}}, nil
}

// Preview makes a source that maps and verifies nothing, to try bodies on: its keys are not needed, and a security event token
// is read without them. The error joins a *Fault for everything that is wrong.
func Preview(c Config, v *schemas.Validator) (*Source, error) {
	preset, err := LoadPreset(c.Preset)
	if err != nil {
		return nil, &Fault{Path: "preset", Text: err.Error()}
	}
	p := c.Profile.Over(preset.Profile)
	mapper, err := newMapper(p, v)
	if err != nil {
		var bad []error
		for _, f := range faultsOf(err) {
			bad = append(bad, f)
		}
		return nil, errors.Join(bad...)
	}
	return &Source{Name: c.Name, Preset: c.Preset, Title: preset.Title, Scheme: p.Verify.Scheme, Respond: p.Respond, mapper: mapper, read: preview(newReader(p.Read, p.Verify.Scheme), p.Verify.Scheme)}, nil
}

// build opens one source. A source without faults is not nil.
func build(c Config, v *schemas.Validator, o verify.Options) (*Source, []*Fault) {
	if !schemas.NameForm.MatchString(c.Name) {
		return nil, []*Fault{{Path: "name", Text: "a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit"}}
	}
	if c.Name == API {
		return nil, []*Fault{{Path: "name", Text: "this name is kept for the requests of operators; choose another"}}
	}
	preset, err := LoadPreset(c.Preset)
	if err != nil {
		return nil, []*Fault{{Path: "preset", Text: err.Error()}}
	}
	p := c.Profile.Over(preset.Profile)
	var bad []*Fault
	o.Logger = o.Logger.With().Str("source", c.Name).Logger()
	scheme, err := verify.Open(p.Verify, o)
	bad = append(bad, faultsOf(err)...)
	if err == nil {
		bad = append(bad, wrongRepeat(c, p, scheme.Covers())...)
	}
	media, wrong := mediaOf(p.Read, p.Verify.Scheme)
	bad = slices.Concat(bad, wrong, withoutEffect(c, p))
	mapper, err := newMapper(p, v)
	bad = append(bad, faultsOf(err)...)
	src := &Source{Name: c.Name, Preset: c.Preset, Title: preset.Title, Scheme: p.Verify.Scheme, Challenge: challengeOf(p.Verify), Respond: p.Respond, Limits: c.Limits,
		inURL: p.Verify.Scheme == schemeSecret && p.Verify.Secret.In == "url", scheme: scheme, mapper: mapper, read: newReader(p.Read, p.Verify.Scheme), media: media}
	for i, name := range p.Handshake {
		h, ok := handshakes[name]
		if !ok {
			bad = append(bad, &Fault{Path: fmt.Sprintf("handshake[%d]", i), Text: fmt.Sprintf("there is no handshake %q; use one of %s", name, strings.Join(Handshakes(), ", "))})
		}
		src.handshakes = append(src.handshakes, h)
	}
	for _, a := range c.OwnActors {
		src.ownActors = append(src.ownActors, strings.ToLower(a))
	}
	if len(bad) > 0 {
		return nil, bad
	}
	src.compensate(c, scheme.Covers())
	return src, nil
}

// challengeOf gives what a sender that showed no proof is asked for: the scheme of HTTP where there is one, else ours.
func challengeOf(v sender.Verify) string {
	secret, token := v.Scheme == schemeSecret, v.Scheme == schemeJWT
	switch {
	case secret && v.Secret.In == "basic":
		return `Basic realm="resetd"`
	case secret && v.Secret.In == "bearer", token && (v.Token.Header == "" || strings.EqualFold(v.Token.Header, "Authorization")):
		return `Bearer realm="resetd"`
	}
	return v.Scheme
}

func newMapper(p sender.Profile, v *schemas.Validator) (mapper, error) {
	if p.Read.As == asNative {
		return native{v}, nil
	}
	m, err := mapping.Compile(mapping.Program{Map: p.Map, IgnoreWhen: p.IgnoreWhen, RefuseWhen: p.RefuseWhen}, v)
	if err != nil {
		return nil, err
	}
	return foreign{m}, nil
}
