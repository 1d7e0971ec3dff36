package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// openSystems makes the connectors of all configured systems. It tells all mistakes at once, as wrong use; it connects to
// nothing. Rights tell on which systems resetd may act; nil leaves that to the configuration.
func openSystems(c *config.Config, log zerolog.Logger, reg prometheus.Registerer, rights *permissions) (*connectors.Set, error) {
	systems, err := connect(c)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	for i := range systems {
		if name := systems[i].Name; rights != nil {
			systems[i].Permitted = func() bool { return rights.permitted(name) }
			systems[i].Permission = func() schemas.PermissionState { return rights.state(name) }
		}
	}
	set, err := connectors.NewSet(systems, connectors.Options{Log: log, Metrics: reg})
	if err != nil {
		return nil, &exit{exitUsage, fmt.Errorf("%s: %w", c.File, err)}
	}
	return set, nil
}

// checkSystems reads the settings of all systems and gives the mistakes in them.
func checkSystems(c *config.Config) error {
	systems, err := connect(c)
	for _, s := range systems {
		err = errors.Join(err, s.Connector.Close())
	}
	return err
}

// connect makes the connector of each system, or gives every mistake in their settings.
func connect(c *config.Config) ([]connectors.System, error) {
	var systems []connectors.System
	var bad []error
	seal, err := sealer(c)
	if err != nil {
		bad = append(bad, err)
	}
	for _, s := range c.Systems {
		i := slices.IndexFunc(kinds(), func(k connectors.Kind) bool { return k.Name == s.Kind })
		if i < 0 {
			continue // the configuration was checked against the kinds
		}
		hints := &connectors.Hints{}
		connector, secrets, err := kinds()[i].Open(connectors.Env{System: s.Name, Seal: seal, Hint: hints.Take}, s.Config.Decode)
		if err != nil {
			bad = append(bad, place(s, err))
			continue
		}
		systems = append(systems, connectors.System{Name: s.Name, Kind: s.Kind, Permitted: s.Granted, Rate: connectors.Rate(s.Rate),
			Timeout: s.Timeout, Secrets: secrets, Connector: connector, Hints: hints})
	}
	if len(bad) > 0 {
		for _, s := range systems {
			bad = append(bad, s.Connector.Close())
		}
		return nil, config.Join(bad...)
	}
	return systems, nil
}

// sealer gives what encrypts passwords for the configured recipients, or nil for none.
func sealer(c *config.Config) (func(schemas.Secret) (string, error), error) {
	if len(c.Delivery.Recipients) == 0 {
		return nil, nil
	}
	s, err := connectors.NewSealer(c.Delivery.Recipients)
	if err != nil {
		return nil, placeRecipients(c, err)
	}
	return s.Seal, nil
}

// placeRecipients says where in the file the recipients stand that cannot be used.
func placeRecipients(c *config.Config, err error) error {
	var all config.Faults
	for _, one := range split(err) {
		path, text := "delivery.recipients", one.Error()
		if e, ok := errors.AsType[*connectors.RecipientError](one); ok {
			path, text = fmt.Sprintf("%s[%d]", path, e.Index), e.Err.Error()
			if strings.HasPrefix(strings.TrimSpace(c.Delivery.Recipients[e.Index]), "age1") {
				text = "this is no age public key; copy the whole age1… key"
			}
		}
		all = append(all, c.Fault(path, text))
	}
	return all
}

// lateness is how much longer than its time-out a call may go on at the other end of a connection that was given up.
const lateness = 5 * time.Second

// systemRule gives what the jobs are to know of a system.
func systemRule(s config.System) jobs.SystemRule {
	rule := jobs.SystemRule{Source: s.SourceSystem, Privileged: s.ActsOnPrivileged(), Coalesce: s.Coalesce.Value()}
	if i := slices.IndexFunc(kinds(), func(k connectors.Kind) bool { return k.Name == s.Kind }); i >= 0 && kinds()[i].Settle > 0 {
		rule.Settle = max(kinds()[i].Settle, s.Timeout+lateness)
	}
	return rule
}

// place says where in the file the mistakes in a system's settings are. What the decoder found has its place already; a
// mistake about a key that could not be read, or was misspelt, is only the consequence, and left out.
func place(s config.System, err error) error {
	var told config.Faults
	var all []error
	var mistakes []*connectors.ConfigError
	for _, one := range split(err) {
		var fs config.Faults
		if e, ok := errors.AsType[*connectors.ConfigError](one); ok {
			mistakes = append(mistakes, e)
		} else if errors.As(one, &fs) {
			told = append(told, fs...)
		} else {
			all = append(all, one)
		}
	}
	for _, e := range mistakes {
		f := s.Config.Fault(e.Key, e.Text)
		if !slices.ContainsFunc(told, func(t config.Fault) bool {
			return t.Covers(f.Path) || strings.Contains(t.Text, "did you mean "+e.Key+"?")
		}) {
			all = append(all, config.Faults{f})
		}
	}
	return config.Join(append(all, told)...)
}

// split takes joined errors apart, at every level.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, split(one)...)
	}
	return all
}
