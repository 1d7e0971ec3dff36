package source

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/resetd/resetd/schemas/signature"
)

// pathForm is how an error of package verify or mapping names the place that it speaks of.
var pathForm = regexp.MustCompile(`^([a-z_]+(?:[.][a-z_]+|\[[0-9]+\])*): `)

// faultsOf takes a joined error apart, each part of which begins with the place that it speaks of.
func faultsOf(err error) []*Fault {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*Fault
		for _, e := range joined.Unwrap() {
			out = append(out, faultsOf(e)...)
		}
		return out
	}
	text := err.Error()
	if m := pathForm.FindString(text); m != "" {
		return []*Fault{{Path: strings.TrimSuffix(m, ": "), Text: strings.TrimPrefix(text, m)}}
	}
	return []*Fault{{Text: text}}
}

// claimKeys refuses a key that another source has, or that is listed twice. A signature covers neither method nor path as
// a rule, so that whoever sees a delivery to the one could send it to the other, where its idempotency key is unknown.
func claimKeys(owners map[string]string, c Config) (bad []*Fault) {
	for i, secret := range c.Profile.Verify.Keys {
		text := secret.Reveal()
		if k, err := signature.ParseKey(text); err == nil {
			if public, ok := k.Public(); ok {
				k = public // a private key verifies as its public half does
			}
			text = k.Reveal()
		}
		at := fmt.Sprintf("verify.keys[%d]", i)
		switch owner, taken := owners[text]; {
		case taken && owner == c.Name:
			bad = append(bad, &Fault{Path: at, Text: "this key is listed twice; remove one"})
		case taken:
			bad = append(bad, &Fault{Path: at, Text: fmt.Sprintf("source %s has the same key, so a delivery for one could be replayed to the other; give each its own", owner)})
		}
		owners[text] = c.Name
	}
	return bad
}
