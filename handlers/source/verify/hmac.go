package verify

import (
	"context"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// templated is an HMAC as a template describes it. What it covers depends on what the template signs.
type templated struct {
	v        *signature.TemplateVerifier
	coverage Coverage
}

func openHMAC(v sender.Verify, _ Options, f *faults) Scheme {
	if len(v.Keys) == 0 {
		f.add("keys", `there is none; write ["${NAME}"] or ["file:PATH"] with the secret that the sender signs with`)
		return nil
	}
	keys := make([]string, len(v.Keys))
	for i, k := range v.Keys {
		keys[i] = k.Reveal()
	}
	verifier, err := signature.NewTemplateVerifier(v.HMAC, keys, signature.TemplateOptions{Tolerance: v.Tolerance})
	if err != nil {
		f.add("hmac", "%s", detailOf(err))
		return nil
	}
	content := v.HMAC.ContentTemplate
	return &templated{verifier, Coverage{
		Body: content == "" || strings.Contains(content, "{body}"),
		Time: v.HMAC.SignsTime(),
		ID:   v.HMAC.SignsID(),
	}}
}

// Verify implements Scheme.
func (s *templated) Verify(_ context.Context, d *Delivery, now time.Time) (Proof, error) {
	signed, err := s.v.Verify(signature.TemplateRequest{Method: d.Method, Path: d.Path, Header: d.Header, Body: d.Body}, now)
	if err != nil {
		return Proof{}, fromSignature(err)
	}
	return Proof{ID: signed.ID, At: signed.At, Payload: d.Body}, nil
}

// Covers implements Scheme.
func (s *templated) Covers() Coverage { return s.coverage }
