package verify

import (
	"context"
	"time"
)

// ParseHandedOver, ParseJWS and DiscoveryURL open what the tests look at directly.
var (
	ParseHandedOver = parseHandedOver
	ParseJWS        = parseJWS
	DiscoveryURL    = discoveryURL
)

// SignedBy tells whether a key made the signature of a token that ParseJWS read.
func (t *jws) SignedBy(key any) bool { return t.signedBy(key) }

// Claims gives the claims of a token that ParseJWS read.
func (t *jws) Claims() []byte { return t.claims }

// Hurry shortens how long a jwt or ssf-set scheme waits for an issuer.
func Hurry(s Scheme, timeout, patience time.Duration) {
	if g, ok := s.(*guarded); ok {
		s = g.Scheme
	}
	var keys keyring
	switch s := s.(type) {
	case *bearerJWT:
		keys = s.rules.keys
	case *eventToken:
		keys = s.rules.keys
	}
	source := keys.(*keySource)
	source.timeout, source.patience = timeout, patience
}

// Landed waits until no try to fetch keys is under way.
func Landed(ctx context.Context, s Scheme) {
	if g, ok := s.(*guarded); ok {
		s = g.Scheme
	}
	source := s.(*bearerJWT).rules.keys.(*keySource)
	source.mu.Lock()
	flight := source.flight
	source.mu.Unlock()
	if flight == nil {
		return
	}
	select {
	case <-flight:
	case <-ctx.Done():
	}
}
