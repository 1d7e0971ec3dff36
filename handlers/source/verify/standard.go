package verify

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// standardWebhooks is Standard Webhooks 1.0.0: v1 (HMAC-SHA256) and v1a (ed25519). The id is the webhook-id.
type standardWebhooks struct{ v *signature.Verifier }

func openStandardWebhooks(v sender.Verify, _ Options, f *faults) Scheme {
	if len(v.Keys) == 0 {
		f.add("keys", `there is none; write ["${NAME}"] or ["file:PATH"] with the key that the sender signs with (whsec_… or whpk_…)`)
		return nil
	}
	var keys []signature.Key
	for i, secret := range v.Keys {
		k, err := signature.ParseKey(secret.Reveal())
		if err != nil {
			if !secret.Empty() { // told for every scheme
				f.add(at("keys", i), "%s", detailOf(err))
			}
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) < len(v.Keys) || len(keys) > maxKeys {
		return nil
	}
	verifier, err := signature.NewVerifier(keys, signature.Options{Tolerance: v.Tolerance})
	if err != nil {
		f.add("keys", "%s", detailOf(err))
	}
	return standardWebhooks{verifier}
}

// Verify implements Scheme.
func (s standardWebhooks) Verify(_ context.Context, d *Delivery, now time.Time) (Proof, error) {
	signed, err := s.v.Verify(d.Header, d.Body, now)
	if err != nil {
		return Proof{}, fromSignature(err)
	}
	return Proof{ID: signed.ID, At: signed.Timestamp, Payload: d.Body}, nil
}

// Covers implements Scheme.
func (standardWebhooks) Covers() Coverage { return Coverage{Body: true, Time: true, ID: true} }

// detailOf gives what an error of package signature says, without the name of its package.
func detailOf(err error) string {
	if e, ok := fromSignature(err).(*Error); ok {
		return e.Detail
	}
	return err.Error()
}
