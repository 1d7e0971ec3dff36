package callback

import (
	"errors"
	"fmt"
	"strings"

	"github.com/resetd/resetd/jobs/callback/format"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
	"github.com/resetd/resetd/schemas/signature"
)

// outlet is a Source, read and checked.
type outlet struct {
	keys   []signature.Key
	allow  []target
	listed string         // the prefixes as they are configured, for messages
	url    schemas.Secret // the default, or the base of a template, which may carry a token; empty if there is none
	own    *target        // url, taken apart
	cloud  bool           // the format is cloudevents
	format *format.Format // the template; nil for resetd's own message
	lanes  map[string]*lane
}

// newOutlet reads a source's configuration. It names every fault, not the first.
func newOutlet(s Source, private bool) (*outlet, error) {
	o := &outlet{keys: s.Keys, listed: strings.Join(s.Allow, ", "), url: schemas.NewSecret(s.URL), cloud: s.Format.Format == receiver.CloudEvents, lanes: map[string]*lane{}}
	var faults []error
	var wrong receiver.Faults
	if o.format, wrong = readFormat(s); len(wrong) > 0 {
		faults = append(faults, wrong)
	}
	where := "callback.url"
	if o.format != nil {
		if secret, ok := o.format.URL(); ok {
			o.url, where = secret, "callback.auth.secret"
		}
	}
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
	if !o.url.Empty() && len(wrong) == 0 {
		o.own = take(where, o.url.Reveal())
	}
	if len(s.Allow) > 0 || !o.url.Empty() {
		if !format.Templated(s.Format.Format) || len(s.Keys) > 0 {
			faults = append(faults, checkKeys(s.Keys)...)
		}
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
//
// The receiver of a template is the one of the configuration; a callback that was planned for another place is held back.
func (o *outlet) permit(raw string) (target, error) {
	t, err := parseTarget(raw)
	if err != nil {
		return t, fmt.Errorf("%w: the callback URL cannot be used: %w", schemas.ErrForbidden, err)
	}
	if o.format != nil {
		if t.place() != o.own.place() {
			return t, fmt.Errorf("%w: this callback was planned for %s, and the format %s now goes to %s; let it go, or restore the settings",
				schemas.ErrForbidden, t.place(), o.format.Name(), o.own.place())
		}
		return *o.own, nil
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
