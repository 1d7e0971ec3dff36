package verify

import (
	"context"
	"slices"
	"strings"

	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// leastHMAC is how long a secret must be for the algorithm, in bytes: as long as the output (RFC 7518 §3.2).
var leastHMAC = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// sharedKeys tells in constant time whether one of the HMAC secrets made a token's signature. It is a function for the
// reason that digests is one.
type sharedKeys func(t *jws) bool

// openSharedKeys reads HMAC secrets. The bytes of the text are the secret, as senders have it; nothing is decoded.
func openSharedKeys(v sender.Verify, algorithms []string, f *faults) sharedKeys {
	t := v.Token
	if t.JWKS != "" {
		f.add("token.jwks", "verify.keys are secrets for HMAC, and a source has either them or public keys; remove one of the two")
	}
	if t.CA != "" {
		f.add("token.ca", "with secrets in verify.keys nothing is fetched; remove it")
	}
	least, of := 0, ""
	for _, a := range algorithms {
		if leastHMAC[a] > least {
			least, of = leastHMAC[a], " for "+a
		}
	}
	texts := make([][]byte, len(v.Keys))
	for i, k := range v.Keys {
		text := k.Reveal()
		if strings.HasPrefix(text, "-----BEGIN ") {
			f.add(at("keys", i), "this is a key in PEM form and no secret; write public keys as token.jwks")
			continue
		}
		checkSecretText(at("keys", i), k, least, of, f)
		texts[i] = []byte(text)
	}
	return func(t *jws) bool {
		found := false
		for _, secret := range texts {
			found = t.signedBy(secret) || found
		}
		return found
	}
}

// check implements keyring.
func (s sharedKeys) check(_ context.Context, t *jws) error {
	if !slices.Contains(sharedAlgorithms, t.alg) || !s(t) {
		return refuse(Reason(signature.ReasonNoMatch), "none of verify.keys made the token's signature; compare the secrets of both sides")
	}
	return nil
}
