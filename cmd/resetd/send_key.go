package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas/signature"
)

// longestWait bounds --wait.
const longestWait = 24 * time.Hour

// waitTime reads --wait; zero means not to wait.
func (o *sendOptions) waitTime(c *cobra.Command) (time.Duration, error) {
	if o.wait == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(o.wait)
	if err != nil || d < time.Second || d > longestWait {
		return 0, usagef(c, "--wait must be a duration from 1s to 24h, written as --wait=2m")
	}
	return d, nil
}

// sourceKey finds the key to sign with: that of --key, or the first in the configuration that can sign.
func (o *sendOptions) sourceKey(c *cobra.Command) (signature.Key, error) {
	if o.key != "" || o.config == nil {
		if o.key == "" {
			return signature.Key{}, usagef(c, "there is no key to sign with; give --key file:PATH, or -c resetd.yaml to take the source's own")
		}
		return signingKey(c, o.key)
	}
	i := slices.IndexFunc(o.config.Sources, func(s config.Source) bool { return s.Name == o.source })
	if i < 0 {
		if len(o.config.Sources) == 0 && len(o.faults) > 0 {
			return signature.Key{}, &exit{exitUsage, o.faults} // a misspelt key may hide them all
		}
		var names []string
		for _, s := range o.config.Sources {
			names = append(names, s.Name)
		}
		return signature.Key{}, &exit{exitUsage, fmt.Errorf("%s has no source %s; its sources are %s", o.file, o.source, dash(strings.Join(names, ", ")))}
	}
	if err := o.concerning(fmt.Sprintf("sources[%d].verify", i)); err != nil {
		return signature.Key{}, err
	}
	s := o.config.Sources[i]
	if s.Preset != "native" {
		return signature.Key{}, &exit{exitUsage, fmt.Errorf("the source %s expects the body of another sender (preset %s); send speaks the native one only", s.Name, s.Preset)}
	}
	for _, secret := range s.Verify.Keys {
		if k, err := signature.ParseKey(secret.Reveal()); err == nil && k.CanSign() {
			return k, nil
		}
	}
	return signature.Key{}, &exit{exitUsage, fmt.Errorf("the source %s has public keys only; give the private one by --key file:PATH", s.Name)}
}
