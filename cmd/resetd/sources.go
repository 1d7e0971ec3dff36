package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// sourceConfig gives a source of the configuration as its package has it.
func sourceConfig(s config.Source) source.Config {
	return source.Config{Name: s.Name, Preset: s.Preset, Profile: s.Profile(), MaxAge: s.MaxAge, RepeatWithin: s.RepeatWithin, OwnActors: s.OwnActors,
		Limits: source.Limits{Deliveries: source.Rate(s.Limits.Deliveries), Requests: source.Rate(s.Limits.Requests)}}
}

// openSources makes all sources of a configuration. The error is config.Faults, each with its place in the file.
func openSources(c *config.Config, v *schemas.Validator, log zerolog.Logger) (*source.Set, error) {
	list := make([]source.Config, len(c.Sources))
	for i, s := range c.Sources {
		list[i] = sourceConfig(s)
	}
	dir, err := filepath.Abs(filepath.Dir(c.File))
	if err != nil {
		return nil, fmt.Errorf("the folder of %s cannot be told: %w", c.File, err)
	}
	set, err := source.New(list, v, verify.Options{Dir: dir, Logger: log})
	return set, sourceFaults(c, err)
}

// checkSources opens the sources and gives the mistakes in them. It asks nobody for keys.
func checkSources(c *config.Config) error {
	_, err := openSources(c, schemas.NewValidator(), zerolog.Nop())
	return config.Join(err, checkCertificates(c))
}

// checkCertificates refuses sources whose certificate could never arrive.
func checkCertificates(c *config.Config) error {
	var out config.Faults
	for i, s := range c.Sources {
		if asksForCertificate(s) && s.Verify.Certificate.ProxyHeader == "" && !c.TLS.On() {
			out = append(out, c.Fault(fmt.Sprintf("sources[%d].verify.scheme", i), "resetd does not speak TLS here, and no proxy hands the certificate over; write tls, or certificate.proxy_header and proxy_from"))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// unlessFaulty leaves out what is wrong with sources in which something cannot even be read: what follows from that is told
// already.
func unlessFaulty(loaded, err error) error {
	before, _ := errors.AsType[config.Faults](loaded)
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		return err
	}
	faults = slices.DeleteFunc(faults, func(f config.Fault) bool {
		source, _, _ := strings.Cut(f.Path, "]")
		return slices.ContainsFunc(before, func(b config.Fault) bool { return strings.HasPrefix(b.Path, source+"]") })
	})
	if len(faults) == 0 {
		return nil
	}
	return faults
}

// sourceFaults gives each fault of a source its place in the file. A name or preset that the configuration itself finds
// wrong is told by it.
func sourceFaults(c *config.Config, err error) error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	var out config.Faults
	for _, e := range joined.Unwrap() {
		f, ok := errors.AsType[*source.Fault](e)
		if !ok {
			return fmt.Errorf("%s: %w", c.File, e)
		}
		if f.Path == "name" || f.Path == "preset" {
			continue
		}
		at := fmt.Sprintf("sources[%d]", f.Source)
		if f.Path != "" {
			at += "." + f.Path
		}
		out = append(out, c.Fault(at, f.Text))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// schemeOf gives the verification scheme of a source: its own, or its preset's.
func schemeOf(s config.Source) string {
	if s.Verify.Scheme != "" {
		return s.Verify.Scheme
	}
	p, err := source.LoadPreset(s.Preset)
	if err != nil {
		return "" // the configuration was checked
	}
	return p.Profile.Verify.Scheme
}

// checkSenders gives a line for each source: by what it is proved, and what that does not prove.
func checkSenders(ctx context.Context, c *config.Config) (all []finding, err error) {
	set, err := openSources(c, schemas.NewValidator(), zerolog.Nop())
	if err != nil {
		return nil, err
	}
	for _, name := range set.Names() {
		src, _ := set.Find(name)
		if err := ready(ctx, src); err != nil {
			all = append(all, about(name, schemas.FindingFail, "source %s (%s) cannot verify: %s", name, src.Preset, err))
			continue
		}
		if src.Weak == "" {
			all = append(all, about(name, schemas.FindingOK, "source %s (%s): %s proves the whole delivery", name, src.Preset, src.Scheme))
			continue
		}
		all = append(all, about(name, schemas.FindingWarn, "source %s (%s) is weak: %s", name, src.Preset, src.Weak))
	}
	return all, nil
}

// ready lets a source fetch what its scheme needs, in a time that a person waits for.
func ready(ctx context.Context, src *source.Source) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	return src.Ready(ctx)
}

// trialHeader makes the header of a delivery out of lines NAME: VALUE.
func trialHeader(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := cutHeader(line)
		if !ok {
			return nil, fmt.Errorf("--header %q is not NAME: VALUE", plain(line))
		}
		h.Add(name, value)
	}
	return h, nil
}

// trialTime reads when a delivery is to have come; empty is now.
func trialTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("--at must be a time such as 2026-11-22T07:00:00Z")
	}
	return at, nil
}
