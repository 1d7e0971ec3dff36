package verify

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a key set. An issuer has two to twenty keys; RSA below 2,048 bits can be broken, and above 8,192 costs the
// verifier more than it gives.
const (
	maxKeySetBytes = 512 << 10
	maxKeySetKeys  = 256
	maxTried       = 16 // keys that are tried for one token
	minRSABits     = 2048
	maxRSABits     = 8192
)

// publicKey is one key of an issuer that can verify.
type publicKey struct {
	id        string
	algorithm string // the only one that it may be used for; empty if the issuer does not say
	key       any
}

// fits tells whether the key is of the kind that an algorithm takes.
func (k publicKey) fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		return slices.Contains([]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, algorithm)
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && key.Curve == elliptic.P256() ||
			algorithm == "ES384" && key.Curve == elliptic.P384() || algorithm == "ES512" && key.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// parseKeySet reads a JWK Set (RFC 7517 §5) and gives the keys that can be used. Those that are of an unknown kind, weak,
// for something else than signatures, symmetric or private are left out; none left is an error.
func parseKeySet(body []byte) ([]publicKey, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("this is no JSON Web Key Set")
	}
	if len(set.Keys) > maxKeySetKeys {
		return nil, fmt.Errorf("the key set has %d keys; at most %d are taken", len(set.Keys), maxKeySetKeys)
	}
	var out []publicKey
	for _, raw := range set.Keys {
		if k, ok := parsePublicKey(raw); ok {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("none of the %d keys of the set can be used; it takes public RSA keys of %d to %d bits, P-256, P-384, P-521 or Ed25519, for signatures",
			len(set.Keys), minRSABits, maxRSABits)
	}
	return out, nil
}

func parsePublicKey(raw jsontext.Value) (publicKey, bool) {
	var purpose struct {
		Operations []string `json:"key_ops"`
	}
	var k jose.JSONWebKey
	switch {
	case json.Unmarshal(raw, &purpose) != nil || k.UnmarshalJSON(raw) != nil:
		return publicKey{}, false
	case purpose.Operations != nil && !slices.Contains(purpose.Operations, "verify"):
		return publicKey{}, false
	case k.Use != "" && k.Use != "sig" || len(k.KeyID) > maxKeyID:
		return publicKey{}, false
	}
	if key, ok := k.Key.(*rsa.PublicKey); ok && (key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits) {
		return publicKey{}, false
	}
	switch k.Key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return publicKey{id: k.KeyID, algorithm: k.Algorithm, key: k.Key}, true
	}
	return publicKey{}, false // a secret, a private key, or a kind that is unknown here
}
