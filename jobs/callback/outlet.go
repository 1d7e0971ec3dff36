package callback

import (
	"errors"
	"fmt"
	"strings"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// outlet is a Source, read and checked.
type outlet struct {
	keys   []signature.Key
	allow  []target
	listed string  // the prefixes as they are configured, for messages
	url    string  // the default, empty if there is none
	own    *target // url, taken apart
	lanes  map[string]*lane
}

// newOutlet reads a source's configuration. It names every fault, not the first.
func newOutlet(s Source, private bool) (*outlet, error) {
	o := &outlet{keys: s.Keys, listed: strings.Join(s.Allow, ", "), url: s.URL, lanes: map[string]*lane{}}
	var faults []error
	take := func(what, raw string) *target {
		t, err := parseTarget(raw)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", what, err))
			return nil
		case t.scheme == "http" && !private:
			faults = append(faults, fmt.Errorf("%s: it says http://, which goes to private networks only; use https://, or set callbacks.allow_private_networks: true", what))
			return nil
		}
		if o.lanes[t.place()] == nil {
			o.lanes[t.place()] = newLane()
		}
		return &t
	}
	for i, raw := range s.Allow {
		what := fmt.Sprintf("callback.allow, entry %d", i+1)
		t := take(what, raw)
		if t == nil {
			continue
		}
		if t.query != "" || strings.Contains(raw, "?") {
			faults = append(faults, fmt.Errorf("%s: a prefix has no query (?…); leave it out", what))
		}
		o.allow = append(o.allow, *t)
	}
	if s.URL != "" {
		o.own = take("callback.url", s.URL)
	}
	if len(s.Allow) > 0 || s.URL != "" {
		faults = append(faults, checkKeys(s.Keys)...)
	}
	return o, errors.Join(faults...)
}

func checkKeys(keys []signature.Key) (faults []error) {
	if len(keys) == 0 {
		faults = append(faults, errors.New("callback.key: there is none; a callback is never sent unsigned"))
	}
	if len(keys) > signature.MaxSignatures {
		faults = append(faults, fmt.Errorf("callback.key: there are %d keys, at most %d can sign at once; remove the oldest", len(keys), signature.MaxSignatures))
	}
	for i, k := range keys {
		if !k.CanSign() {
			faults = append(faults, fmt.Errorf("callback.key, key %d: it cannot sign; configure a whsec_ or whsk_ key", i+1))
		}
	}
	return faults
}

// permit takes a URL apart if callbacks of this source may go there. The error wraps schemas.ErrForbidden and lists the
// allowed prefixes; of the URL it shows no more than scheme, host and port.
func (o *outlet) permit(raw string) (target, error) {
	t, err := parseTarget(raw)
	if err != nil {
		return t, fmt.Errorf("%w: the callback URL cannot be used: %w", schemas.ErrForbidden, err)
	}
	if o.own != nil && t == *o.own {
		return t, nil
	}
	for _, prefix := range o.allow {
		if t.under(prefix) {
			return t, nil
		}
	}
	if len(o.allow) == 0 {
		return t, fmt.Errorf("%w: this source may name no callback URL; an administrator can list prefixes under its callback.allow", schemas.ErrForbidden)
	}
	return t, fmt.Errorf("%w: the callback URL at %s lies under none of the allowed prefixes: %s", schemas.ErrForbidden, t.place(), o.listed)
}
