package connectors

import (
	"errors"
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// Kind is one kind of IAM system: what stands under "kind:" in the configuration.
type Kind struct {
	Name string
	// New gives a pointer to the kind's configuration struct, filled with the defaults.
	New func() Config
	// Example is what may stand under "config:", as YAML. A test decodes and opens it.
	Example string
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
// the pointer that it gets and refuses unknown keys. The errors are the decoder's own, or *ConfigError, several joined.
// The secrets belong into System.Secrets.
func (k Kind) Open(env Env, decode func(into any) error) (c Connector, secrets []schemas.Secret, err error) {
	config := k.New()
	if err := decode(config); err != nil {
		return nil, nil, err
	}
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	c, err = config.Open(env)
	if err != nil {
		return nil, nil, err
	}
	return c, config.Secrets(), nil
}
