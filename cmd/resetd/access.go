package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
)

const (
	// defaultURL is the default of listen, as a URL.
	defaultURL = "http://127.0.0.1:8080"
	// tokenEnv holds an API token for those who would rather not name a file in every command.
	tokenEnv = "RESETD_TOKEN"
)

// access is how a command reaches a running resetd: by flags, the environment, or the configuration that it runs with.
type access struct {
	url, token, file string
	config           *config.Config // nil without -c
	others           bool           // a flag of the command itself says that the configuration is not to be looked for
	faults           config.Faults  // of the configuration; only those that concern a command stop it
}

// flags adds the flags that every command of this sort has.
func (a *access) flags(c *cobra.Command) {
	c.Flags().StringVar(&a.url, "url", "", "where resetd runs (default: listen in the configuration, or "+defaultURL+")")
	c.Flags().StringVar(&a.token, "token", "", "the API token, as file:PATH or '${ENV}' (default: $"+tokenEnv+", or one of the configuration)")
	c.Flags().StringVarP(&a.file, "config", "c", "", "the configuration that resetd runs with, to take address, keys and tokens from (default: "+starterName+" here, if there is one\nand no flag names an address, token or key)")
}

// load reads the configuration, if one is named or lies here and no flag names a part of what it would be read for, and
// settles the address.
func (a *access) load(c *cobra.Command) error {
	if a.file == "" && a.url == "" && a.token == "" && !a.others {
		if info, err := os.Stat(starterName); err == nil && info.Mode().IsRegular() {
			a.file = starterName
		}
	}
	if a.file != "" {
		got, err := config.Load(a.file, config.Known{}, os.LookupEnv)
		if err != nil && (!errors.As(err, &a.faults) || got == nil) {
			return &exit{exitUsage, err}
		}
		a.config = got
	}
	switch {
	case a.url != "":
	case a.config != nil:
		if err := a.concerning("listen"); err != nil {
			return err
		}
		a.url = a.config.LocalURL()
	default:
		a.url = defaultURL
	}
	u, err := url.Parse(a.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return usagef(c, "--url must look like %s or https://resetd.example.com", defaultURL)
	}
	return nil
}

// concerning gives the faults of the configuration at or below a key. Others are not this command's business: it may
// well be run by somebody who lacks the secrets of the systems.
func (a *access) concerning(path string) error {
	if fs := a.faults.Concerning(path); len(fs) > 0 {
		return &exit{exitUsage, fs}
	}
	return nil
}

// secret finds the API token for what needs a role: that of the flag, of the environment, or the weakest in the
// configuration that suffices.
func (a *access) secret(c *cobra.Command, role string) (schemas.Secret, error) {
	if a.token != "" {
		return readRef(c, "--token", a.token)
	}
	if s := os.Getenv(tokenEnv); s != "" {
		return schemas.NewSecret(s), nil
	}
	if a.config == nil {
		return schemas.Secret{}, usagef(c, "this needs an API token with the role %s: set %s, or give --token file:PATH or -c resetd.yaml", role, tokenEnv)
	}
	var unread error // of the weakest that would suffice
	for _, enough := range config.Roles()[slices.Index(config.Roles(), role):] {
		for i, t := range a.config.API.Tokens {
			if t.Role != enough {
				continue
			}
			err := a.concerning(fmt.Sprintf("api.tokens[%d]", i))
			if err == nil {
				return t.Token, nil
			}
			if unread == nil {
				unread = err
			}
		}
	}
	if unread == nil {
		unread = a.concerning("api")
	}
	if unread != nil {
		return schemas.Secret{}, unread
	}
	return schemas.Secret{}, &exit{exitUsage, fmt.Errorf("%s has no API token with the role %s; add one under api: tokens:, or set %s", a.file, role, tokenEnv)}
}

// client gives a client that bears a token, and warns when the token would travel readable.
func (a *access) client(c *cobra.Command, role string) (*client, error) {
	if err := a.load(c); err != nil {
		return nil, err
	}
	token, err := a.secret(c, role)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(a.url); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		fmt.Fprintf(c.ErrOrStderr(), "warning: the token travels unencrypted to %s; use https\n", u.Host)
	}
	return newClient(a.url, token), nil
}

// loopback tells whether a host is this machine, as far as the name alone says it.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// readRef reads a secret that a flag names. A literal one is refused: every user of the machine can read a command line.
func readRef(c *cobra.Command, flag, ref string) (schemas.Secret, error) {
	s, warning, err := config.ReadSecret(ref, ".", os.LookupEnv)
	switch {
	case errors.Is(err, config.ErrLiteral):
		return s, usagef(c, "%s takes file:PATH or '${ENV}' (in single quotes, so that the shell leaves it alone); "+
			"a secret in the command line can be read by everybody on this machine", flag)
	case err != nil:
		return s, &exit{exitUsage, fmt.Errorf("%s: %w", flag, err)}
	case warning != "":
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", warning)
	}
	return schemas.NewSecret(strings.TrimSpace(s.Reveal())), nil
}
