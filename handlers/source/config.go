package source

import (
	"errors"
	"fmt"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// API is the source name under which requests of operators are recorded. No sender may bear it: its idempotency keys
// would meet those of the operators.
const API = "api"

// Config describes one source, as the configuration file has it.
//
//	name: soar
//	preset: native
//	verify: {scheme: standard-webhooks, keys: ["${SOAR_KEY}"], tolerance: 5m}
type Config struct {
	Name   string // schemas.NameForm; it is the last part of the sender's URL
	Preset string // one of Presets
	// Scheme takes the place of the preset's verification scheme; empty keeps it.
	Scheme string
	// Keys are tried all, so that one can be exchanged without a gap; at most five.
	Keys []schemas.Secret
	// Tolerance is how far the sender's clock may differ, in both directions; zero means five minutes.
	Tolerance time.Duration
}

// New makes the sources. The error joins one error for everything that is wrong, each with the name of its source; it
// holds no part of a key.
func New(configs []Config, v *schemas.Validator) (*Set, error) {
	if v == nil {
		return nil, errors.New("sources: the validator is missing")
	}
	presets, err := loadPresets()
	if err != nil {
		return nil, err
	}
	nobody, err := newNobody(v)
	if err != nil {
		return nil, err
	}
	set := &Set{byName: make(map[string]*Source, len(configs)), nobody: nobody}
	owners := map[string]string{} // whose key it is
	var bad []error
	for i, c := range configs {
		src, err := build(c, presets, v)
		switch {
		case err != nil:
			bad = append(bad, fmt.Errorf("source %d (%q): %w", i+1, c.Name, err))
			continue
		case set.byName[c.Name] != nil:
			bad = append(bad, fmt.Errorf("source %d (%q): this name is taken by another source; give each its own", i+1, c.Name))
			continue
		}
		if err := claimKeys(owners, c); err != nil {
			bad = append(bad, fmt.Errorf("source %d (%q): %w", i+1, c.Name, err))
		}
		set.byName[c.Name] = src
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return set, nil
}

func build(c Config, presets map[string]preset, v *schemas.Validator) (*Source, error) {
	if !schemas.NameForm.MatchString(c.Name) {
		return nil, errors.New("a name has 1 to 63 of a–z, 0–9, - and _, and begins and ends with a letter or digit")
	}
	if c.Name == API {
		return nil, errors.New("this name is kept for the requests of operators; choose another")
	}
	p, ok := presets[c.Preset]
	if !ok {
		return nil, fmt.Errorf("there is no preset %q; use one of %v", c.Preset, Presets())
	}
	scheme := p.Verify.Scheme
	if c.Scheme != "" {
		scheme = c.Scheme
	}
	verifier, err := newVerifier(scheme, c)
	if err != nil {
		return nil, err
	}
	mapper, err := newMapper(p.Map.Form, v)
	if err != nil {
		return nil, err
	}
	return &Source{Name: c.Name, Scheme: scheme, Verifier: verifier, Mapper: mapper}, nil
}

// claimKeys refuses a key that another source has. The signature covers neither method nor path, so that whoever sees a
// delivery to the one could send it to the other, where its idempotency key is unknown.
func claimKeys(owners map[string]string, c Config) error {
	for i, secret := range c.Keys {
		k, err := signature.ParseKey(secret.Reveal())
		if err != nil {
			continue // told by newVerifier, where the scheme uses such keys
		}
		if public, ok := k.Public(); ok {
			k = public
		}
		owner, taken := owners[k.Reveal()]
		if taken && owner != c.Name {
			return fmt.Errorf("key %d is also a key of source %q; a delivery to the one could be replayed to the other, so give each its own", i+1, owner)
		}
		owners[k.Reveal()] = c.Name
	}
	return nil
}
