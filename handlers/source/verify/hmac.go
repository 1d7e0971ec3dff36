package verify

import (
	"context"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// templated is an HMAC as a template describes it. What it covers depends on what the template signs; a template that does
// not sign the body is refused.
type templated struct {
	v        *signature.TemplateVerifier
	coverage Coverage
}

func openHMAC(v sender.Verify, _ Options, f *faults) Scheme {
	before, template := len(f.all), signature.Template(v.HMAC)
	for _, e := range split(template.Check()) {
		field, text, _ := strings.Cut(detailOf(e), ": ")
		f.add("hmac."+field, "%s", text)
	}
	if len(v.Keys) == 0 {
		f.add("keys", `there is none; write ["${NAME}"] or ["file:PATH"] with the secret that the sender signs with`)
	}
	if v.Tolerance != 0 && !template.SignsTime() {
		f.add("tolerance", "the template signs no time, so that this has no effect; leave it out")
	}
	if len(f.all) > before {
		return nil
	}
	keys := make([]string, len(v.Keys))
	for i, k := range v.Keys {
		if keys[i] = k.Reveal(); k.Empty() || keys[i] == zendeskTest { // told for every scheme
			continue
		}
		_, err := signature.NewTemplateVerifier(template, keys[i:i+1], signature.TemplateOptions{})
		for _, e := range split(err) {
			f.add(at("keys", i), "%s", strings.Replace(detailOf(e), "key 1", "this key", 1))
		}
	}
	verifier, err := signature.NewTemplateVerifier(template, keys, signature.TemplateOptions{Tolerance: v.Tolerance})
	if err != nil && len(f.all) == 0 {
		f.add("keys", "%s", detailOf(split(err)[0])) // two keys of which HMAC makes the same
	}
	return &templated{verifier, Coverage{Body: true, Time: template.SignsTime(), ID: template.SignsID()}}
}

// split gives the errors that were joined.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
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
