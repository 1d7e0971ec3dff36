package config

import "slices"

// Default is what a key means when it is left out.
type Default struct {
	Key   string // as in a Fault, with [] for every entry of a list
	Value string // as it would be written
}

// The one table of defaults. A key that is neither here nor required is off or empty when it is left out.
var defaults = []Default{
	{"listen", "127.0.0.1:8080"},
	{"data_dir", "./resetd-data"},
	{"ledger", "sqlite"},
	{"queue", "embedded"},
	{"sources[].preset", "native"},
	{"sources[].callback.events", "final"},
	{"systems[].enforcement", "not_granted"},
	{"systems[].timeout", "10s"},
	{"systems[].privileged", "refuse"},
	{"log.level", "info"},
	{"log.format", "json"},
	{"refusals_per_address", "10/s"},
	{"retention.tasks", "365d"},
}

// Defaults gives the table.
func Defaults() []Default { return slices.Clone(defaults) }
