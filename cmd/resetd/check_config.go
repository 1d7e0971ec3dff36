package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/schemas"
)

// directories are the kinds that other systems copy their accounts from, with a password that lives there.
var directories = []string{"activedirectory", "ldap389", "openldap"}

// checkUse gives a line for what loads and yet does not do what its author wants: nothing to do at all, and systems that no
// request, or only half of it, can reach.
func checkUse(c *config.Config) []finding {
	all := lacking(c)
	if len(c.Systems) > 0 && len(c.API.Tokens) == 0 {
		all = append(all, about("configuration", schemas.FindingWarn,
			"api: tokens: is empty, so nobody can look at tasks or withdraw a permission; add one as `resetd init` writes it"))
	}
	for _, s := range c.Systems {
		all = append(all, checkReach(c, s)...)
	}
	return all
}

// lacking gives a failure for each thing without which resetd can do nothing; an empty or cut-off file lacks them all.
func lacking(c *config.Config) (all []finding) {
	if len(c.Sources) == 0 {
		all = append(all, about("configuration", schemas.FindingFail,
			"%s has no sources, so nobody may send a webhook; add one under sources:, or write a new configuration with `resetd init`", c.File))
	}
	if len(c.Systems) == 0 {
		all = append(all, about("configuration", schemas.FindingFail,
			"%s has no systems, so there is nothing to act on; add one under systems: (`resetd kinds` prints entries)", c.File))
	}
	return all
}

// checkReach looks whether requests can reach a system, and the one where its passwords live.
func checkReach(c *config.Config, s config.System) (all []finding) {
	warn := func(format string, args ...any) {
		all = append(all, about(s.Name, schemas.FindingWarn, format, args...))
	}
	used := false
	for _, source := range c.Sources {
		if !slices.Contains(source.Systems, s.Name) {
			continue
		}
		used = true
		if s.SourceSystem != "" && !slices.Contains(source.Systems, s.SourceSystem) {
			warn("the source %s may act on %s but not on %s, where the passwords live (source_system), so its requests end as %s; add %s to systems: of that source",
				source.Name, s.Name, s.SourceSystem, schemas.CodeResetAtSource, s.SourceSystem)
		}
	}
	if !used && len(c.Sources) > 0 {
		warn("no source may act on %[1]s, so no webhook resets anything there; add %[1]s to systems: of a source", s.Name)
	}
	at := slices.IndexFunc(c.Systems, func(o config.System) bool { return o.Name == s.SourceSystem })
	if s.SourceSystem != "" && at >= 0 && !slices.Contains(directories, c.Systems[at].Kind) {
		warn("source_system: %s is of the kind %s, which accounts are not copied from; name a system of the kind %s, or leave source_system out",
			s.SourceSystem, c.Systems[at].Kind, strings.Join(directories, ", "))
	}
	return all
}

// about makes a line of the topic configuration.
func about(part string, state schemas.FindingState, format string, args ...any) finding {
	return finding{Part: part, Topic: schemas.TopicConfiguration, State: state, Detail: fmt.Sprintf(format, args...)}
}

// enough refuses a configuration with which serving would be of no use to anybody.
func enough(c *config.Config) error {
	bad := lacking(c)
	if len(bad) == 0 {
		return nil
	}
	lines := make([]string, len(bad))
	for i, f := range bad {
		lines[i] = f.Detail
	}
	return &exit{exitUsage, fmt.Errorf("%s", strings.Join(lines, "\n"))}
}
