package source

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// The verification schemes, by the name that a preset or a configuration uses.
var schemes = map[string]func(Config) (Verifier, error){
	"standard-webhooks": openStandardWebhooks,
}

// Schemes lists the names of the verification schemes in alphabetical order.
func Schemes() []string { return slices.Sorted(maps.Keys(schemes)) }

func newVerifier(scheme string, c Config) (Verifier, error) {
	open, ok := schemes[scheme]
	if !ok {
		return nil, fmt.Errorf("there is no verification scheme %q; use one of %v", scheme, Schemes())
	}
	return open(c)
}

// standardWebhooks is Standard Webhooks 1.0.0: v1 (HMAC-SHA256) and v1a (ed25519). The key is the webhook-id.
type standardWebhooks struct{ v *signature.Verifier }

func openStandardWebhooks(c Config) (Verifier, error) {
	keys := make([]signature.Key, len(c.Keys))
	var bad []error
	for i, secret := range c.Keys {
		var err error
		if keys[i], err = signature.ParseKey(secret.Reveal()); err != nil {
			bad = append(bad, fmt.Errorf("key %d: %w", i+1, err))
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	v, err := signature.NewVerifier(keys, signature.Options{Tolerance: c.Tolerance})
	if err != nil {
		return nil, err
	}
	return standardWebhooks{v}, nil
}

// Verify implements Verifier.
func (s standardWebhooks) Verify(h http.Header, body []byte, now time.Time) (string, error) {
	d, err := s.v.Verify(h, body, now)
	return d.ID, err
}

// newNobody makes the source that stands for unknown names: its key is random and is forgotten at once.
func newNobody(v *schemas.Validator) (*Source, error) {
	const scheme = "standard-webhooks"
	verifier, err := newVerifier(scheme, Config{Keys: []schemas.Secret{schemas.NewSecret(signature.GenerateSymmetric().Reveal())}})
	if err != nil {
		return nil, fmt.Errorf("stand-in for unknown sources: %w", err)
	}
	return &Source{Scheme: scheme, Verifier: verifier, Mapper: native{v}}, nil
}
