package connectors

import (
	"errors"
	"fmt"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Kind is one kind of IAM system: what stands under "kind:" in the configuration.
type Kind struct {
	Name string
	// New gives a pointer to the kind's configuration struct, filled with the defaults.
	New func() Config
	// Example is what may stand under "config:", as YAML. A test decodes and opens it.
	Example string
	// Settle is how long a change that was given up may still be under way in the system before it shows: so long an
	// attempt without an answer is left alone before it is verified. Zero where changes are bound to the state that was
	// read (see Lateness in Connector); then the jobs' own short wait is enough.
	Settle time.Duration
}

// Config is the settings of one system. It is a pointer to a struct with yaml tags; secrets in it are schemas.Secret. A
// file name has the tag path:"file" and becomes absolute before Validate is called.
type Config interface {
	// Validate tells all that is wrong: errors.Join of *ConfigError, in one level. It opens no file and no connection.
	Validate() error
	// Secrets lists every secret in the settings, so that it can be kept out of whatever leaves the connector.
	Secrets() []schemas.Secret
	// Open makes the connector. It reads files but connects to nothing: a system that is down must not keep resetd from
	// starting. Its errors are *ConfigError too.
	Open(env Env) (Connector, error)
}

// Env is what a connector is told about its surroundings.
type Env struct {
	// System is the system's name in the configuration, for messages that send a person there.
	System string
	// Seal encrypts a password for the configured recipients; nil while sealed delivery is off, as it is by default.
	// Connectors call Env.Sealed.
	Seal func(schemas.Secret) (string, error)
	// Hint takes what a system says about its pace beside an answer; nil if nobody wants to know. Connectors call Env.Tell.
	Hint func(Hint)
}

// Sealed gives the ciphertext of a password for Receipt.Sealed, or nothing while sealed delivery is off. Call it before
// the password is sent: a password that cannot be sealed must not be set. The failure says that nothing was changed.
func (e Env) Sealed(password schemas.Secret) (string, *schemas.Failure) {
	if e.Seal == nil {
		return "", nil
	}
	text, err := e.Seal(password)
	if err != nil {
		return "", schemas.Fail(schemas.CodeUnexpected,
			"the password cannot be encrypted for the recipients under delivery: in the configuration; nothing was changed").Because(err)
	}
	return text, nil
}

// Hint is what a system says about its pace beside an answer, not in place of one.
type Hint struct {
	// Pause is for how long no call is welcome: the allowance is used up although this call went through.
	Pause time.Duration
	// Used is the share of the system's allowance that is used up, from 0 to 1 and above; zero if it does not say.
	Used float64
}

// Tell passes a hint on.
func (e Env) Tell(h Hint) {
	if e.Hint != nil && (h.Pause > 0 || h.Used > 0) {
		e.Hint(h)
	}
}

// ConfigError is one mistake in a system's settings.
type ConfigError struct {
	Key  string // the YAML key below config:
	Text string // what is wrong and what to write instead
	Err  error  // the error underneath, if any; its text is in Text
}

// Mistake makes a ConfigError with a formatted text.
func Mistake(key, format string, args ...any) *ConfigError {
	e := &ConfigError{Key: key}
	err := fmt.Errorf(format, args...)
	e.Text, e.Err = err.Error(), errors.Unwrap(err)
	return e
}

// Error gives the key and the text.
func (e *ConfigError) Error() string { return e.Key + ": " + e.Text }

// Unwrap gives the error underneath.
func (e *ConfigError) Unwrap() error { return e.Err }

// Open reads the settings of a system by the given decoder and makes its connector. The decoder fills the struct behind
// the pointer that it gets and refuses unknown keys. The errors are the decoder's own and *ConfigError, all joined: what could be read is
// validated also where something could not, so a *ConfigError may tell of a key that the decoder has told of already.
// The secrets belong into System.Secrets.
func (k Kind) Open(env Env, decode func(into any) error) (c Connector, secrets []schemas.Secret, err error) {
	config := k.New()
	if err := errors.Join(decode(config), config.Validate()); err != nil {
		return nil, nil, err
	}
	c, err = config.Open(env)
	if err != nil {
		return nil, nil, err
	}
	return c, config.Secrets(), nil
}
