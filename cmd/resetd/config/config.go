package config

import (
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// Config is the whole configuration. The names of its keys are fixed: scripts and documentation rely on them.
type Config struct {
	// Listen is host:port; an empty host means every address of the machine.
	Listen string `yaml:"listen" validate:"required"`
	// PublicURL is how others reach resetd, without a slash at its end. It is http:// and Listen unless set.
	PublicURL string `yaml:"public_url"`
	// DataDir is absolute once loaded; the file may name it relative to itself.
	DataDir string   `yaml:"data_dir" validate:"required"`
	Ledger  Backend  `yaml:"ledger"`
	Queue   Backend  `yaml:"queue"`
	Sources []Source `yaml:"sources" validate:"dive"`
	Systems []System `yaml:"systems" validate:"dive"`

	// TrustedProxies are the addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies" validate:"max=64,unique"`
	// RefusalsPerAddress is how many refused deliveries an address may send before it is held back.
	RefusalsPerAddress Rate `yaml:"refusals_per_address"`
	TLS                TLS  `yaml:"tls"`

	API       API       `yaml:"api"`
	Callbacks Callbacks `yaml:"callbacks"`
	Delivery  Delivery  `yaml:"delivery"`
	Guard     Guard     `yaml:"guard"`
	Log       Log       `yaml:"log"`
	Retention Retention `yaml:"retention"`

	// File is where this was read from, as it was named.
	File  string `yaml:"-"`
	notes *[]Fault
	read  *decoder
}

// Fault makes a fault of what another part of resetd found wrong in a value of this configuration.
func (c *Config) Fault(path, text string) Fault {
	if c.read == nil {
		return Fault{File: c.File, Path: path, Text: text}
	}
	p := c.read.placeOf(path)
	return Fault{File: c.File, Line: p.line, Column: p.column, Path: path, Text: text}
}

// Source is a sender of webhooks.
type Source struct {
	Name   string `yaml:"name" validate:"required,name"`
	Preset string `yaml:"preset" validate:"required"`
	// What follows up to Respond is laid over the preset; see sender.Profile.
	Verify     sender.Verify  `yaml:"verify"`
	Handshake  []string       `yaml:"handshake" validate:"max=4,unique"`
	Read       sender.Read    `yaml:"read"`
	Map        sender.Map     `yaml:"map"`
	IgnoreWhen []sender.Rule  `yaml:"ignore_when" validate:"max=32,dive"`
	RefuseWhen []sender.Rule  `yaml:"refuse_when" validate:"max=32,dive"`
	Respond    sender.Respond `yaml:"respond"`
	// Systems are those that the source may act on.
	Systems  []string `yaml:"systems" validate:"min=1,unique"`
	Callback Callback `yaml:"callback"`
	// MaxAge is how old what is reported may be; zero leaves it to the scheme.
	MaxAge time.Duration `yaml:"max_age" validate:"omitempty,min=1m,max=8760h"`
	// RepeatWithin is how long the same body counts as the same delivery, where the scheme signs no id; zero leaves it to the
	// scheme.
	RepeatWithin time.Duration `yaml:"repeat_within" validate:"omitempty,min=1s,max=8760h"`
	// OwnActors are the names under which resetd itself appears in what the sender reports.
	OwnActors []string `yaml:"own_actors" validate:"max=32,unique"`
	// Coalesce is how long a reset that is done also answers another request for the same account; zero leaves it to the
	// system, or to the jobs.
	Coalesce Window       `yaml:"coalesce"`
	Limits   SourceLimits `yaml:"limits"`
}

// Profile gives what the source says over its preset.
func (s Source) Profile() sender.Profile {
	return sender.Profile{Verify: s.Verify, Handshake: s.Handshake, Read: s.Read, Map: s.Map,
		IgnoreWhen: s.IgnoreWhen, RefuseWhen: s.RefuseWhen, Respond: s.Respond}
}

// SourceLimits bound what a source may ask of one process; a zero rate is no bound.
type SourceLimits struct {
	Deliveries Rate `yaml:"deliveries"`
	Requests   Rate `yaml:"requests"`
}

// Callback says where a source hears what became of its requests.
type Callback struct {
	// Allow lists the URLs that a request may name: an entry covers itself and everything below its path.
	Allow []string `yaml:"allow"`
	// Key and Keys are two ways to write the same; SigningKeys gives both.
	Key    signature.Key   `yaml:"key"`
	Keys   []signature.Key `yaml:"keys" validate:"max=5"`
	Events []string        `yaml:"events" validate:"max=9,unique,dive,callback_event"`
	// URL is used when a request names none. The operator wrote it, so it need not be under Allow. Where the format is a
	// template it is the base URL of the receiver's API.
	URL string `yaml:"url"`
	// What follows says in which words the receiver is told; see receiver.Spec.
	Format   string            `yaml:"format" validate:"max=40"`
	Auth     receiver.Auth     `yaml:"auth"`
	Params   map[string]string `yaml:"params" validate:"max=32"`
	Template receiver.Template `yaml:"template"`
}

// Spec gives what the callback says of its format.
func (c Callback) Spec() receiver.Spec {
	return receiver.Spec{Format: c.Format, Auth: c.Auth, Params: c.Params, Template: c.Template}
}

// signed tells whether callbacks are signed by resetd itself, as they are in every format that is its own message.
func (c Callback) signed() bool {
	return c.Format == "" || c.Format == receiver.Standard || c.Format == receiver.CloudEvents
}

// SigningKeys gives the keys that callbacks are signed with, in order; none when no callback is configured.
func (c Callback) SigningKeys() []signature.Key {
	if c.Key.IsZero() {
		return c.Keys
	}
	return append([]signature.Key{c.Key}, c.Keys...)
}

// System is an IAM system.
type System struct {
	Name string `yaml:"name" validate:"required,name"`
	Kind string `yaml:"kind" validate:"required"`
	// Enforcement is the policy enforcement permission; see Granted.
	Enforcement string `yaml:"enforcement" validate:"oneof=granted not_granted"`
	// Rate bounds the calls of all replicas together; the zero value is no bound of our own.
	Rate Rate `yaml:"rate"`
	// Workers is how many enforcements run at a time; zero leaves it to the jobs.
	Workers int `yaml:"workers" validate:"omitempty,min=1,max=1000"`
	// Timeout bounds one call to the system.
	Timeout time.Duration `yaml:"timeout" validate:"min=1s,max=10m"`
	// Coalesce is as for a source; the shorter one counts.
	Coalesce Window `yaml:"coalesce"`
	// SourceSystem is where the passwords of accounts live that are copied here from another directory; empty for none.
	SourceSystem string `yaml:"source_system"`
	// Privileged says what becomes of requests for privileged accounts; see ActsOnPrivileged.
	Privileged string `yaml:"privileged" validate:"oneof=refuse allow"`
	Config     Raw    `yaml:"config"`
}

// ActsOnPrivileged tells whether the operator lets resetd reset administrators and other privileged accounts.
func (s System) ActsOnPrivileged() bool { return s.Privileged == "allow" }

// Granted tells whether the operator lets resetd change passwords on the system.
func (s System) Granted() bool { return s.Enforcement == "granted" }

// TLS lets resetd speak TLS itself, which senders that prove themselves by a client certificate need unless a proxy does.
type TLS struct {
	// Certificate is a PEM file with the certificate and those between it and its authority; Key is the PEM file of its key.
	Certificate string `yaml:"certificate" path:"file"`
	Key         string `yaml:"key" path:"file"`
}

// On tells whether resetd speaks TLS.
func (t TLS) On() bool { return t.Certificate != "" || t.Key != "" }

// API says who may use the task API.
type API struct {
	Tokens []Token `yaml:"tokens" validate:"dive"`
	// MetricsOpen lets /metrics be read without a token.
	MetricsOpen bool `yaml:"metrics_open"`
}

// Token is one bearer token. A role includes those before it: viewer, operator, approver, admin.
type Token struct {
	Name  string         `yaml:"name" validate:"required,name"`
	Role  string         `yaml:"role" validate:"required,oneof=viewer operator approver admin"`
	Token schemas.Secret `yaml:"token" validate:"required"`
}

// Roles lists the roles, the weakest first.
func Roles() []string { return []string{"viewer", "operator", "approver", "admin"} }

// Callbacks holds what is common to all callbacks.
type Callbacks struct {
	// AllowPrivateNetworks lets callbacks go to loopback and private addresses.
	AllowPrivateNetworks bool `yaml:"allow_private_networks"`
	// TLSCA is a PEM file of authorities that receivers' certificates may be signed by, beside those of the machine.
	TLSCA string `yaml:"tls_ca" path:"file"`
}

// Delivery says who gets the passwords that are set, encrypted; nobody by default.
type Delivery struct {
	// Recipients are age or SSH public keys.
	Recipients []string `yaml:"recipients" validate:"max=20,unique"`
}

// Guard has no settings yet; a key in it is an error and not a silent wish.
type Guard struct{}

// Log says how the log is written.
type Log struct {
	Level  string `yaml:"level" validate:"oneof=debug info warn error"`
	Format string `yaml:"format" validate:"oneof=json console"`
}

// Retention says how long things are kept.
type Retention struct {
	// Tasks counts from the creation of a task that is final.
	Tasks time.Duration `yaml:"tasks" validate:"min=24h"`
}

// Warnings gives what works but should not be so, in the order of the file; Raw.Decode may add to them.
func (c *Config) Warnings() []Fault {
	if c.notes == nil {
		return nil
	}
	return sorted(*c.notes)
}
