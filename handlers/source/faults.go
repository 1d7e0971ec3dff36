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

// owners tells whose a key is, by its text as it verifies.
type owners map[string]owner

type owner struct {
	source int    // its place in the list
	name   string // of the source
	text   string // the key as it is written
}

// claim refuses a key that another source has, and the private and the public half of one key in the same. A signature covers
// neither method nor path as a rule, so that whoever sees a delivery to the one could send it to the other, where its
// idempotency key is unknown. That a key is empty or written twice is told by package verify.
func (o owners) claim(i int, c Config) (bad []*Fault) {
	for j, secret := range c.Profile.Verify.Keys {
		if secret.Empty() {
			continue
		}
		text := secret.Reveal()
		if k, err := signature.ParseKey(text); err == nil {
			if public, ok := k.Public(); ok {
				k = public // a private key verifies as its public half does
			}
			text = k.Reveal()
		}
		at := fmt.Sprintf("verify.keys[%d]", j)
		switch first, taken := o[text]; {
		case !taken:
			o[text] = owner{i, c.Name, secret.Reveal()}
		case first.source != i:
			bad = append(bad, &Fault{Path: at, Text: fmt.Sprintf("source %s has the same key, so a delivery for one could be replayed to the other; give each its own", first.name)})
		case first.text != secret.Reveal():
			bad = append(bad, &Fault{Path: at, Text: "this is the other half of a key that is listed already; remove one"})
		}
	}
	return bad
}
