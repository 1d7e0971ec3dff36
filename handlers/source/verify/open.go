package verify

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// maxKeys is how many keys of one source may live at a time: it bounds the work that one delivery causes.
const maxKeys = 5

// maxTolerance is the longest tolerance; a delivery could be sent again for twice as long.
const maxTolerance = time.Hour

// Options is what schemes need beside their own words. The zero value works.
type Options struct {
	// Transport reaches the servers of token keys; nil is net/http's usual one, with the proxy of the environment. It is
	// cloned, never followed into a redirect, and speaks TLS 1.2 or later.
	Transport *http.Transport
	// Dir is what a relative file:PATH of token.jwks is relative to; empty is the working directory.
	Dir string
	// Now tells how old fetched keys are; nil is time.Now. Deliveries are judged by the time that Verify is given.
	Now func() time.Time
	// Logger hears when an issuer does not give its keys. The zero value is silent.
	Logger zerolog.Logger
}

// The schemes by name. An opener tells every fault, and gives nothing that is used if there is any.
var schemes = map[string]func(sender.Verify, Options, *faults) Scheme{
	"standard-webhooks": openStandardWebhooks,
	"hmac":              openHMAC,
	"shared-secret":     openSharedSecret,
	"mtls":              openMTLS,
	"jwt":               openJWT,
	"ssf-set":           openSET,
}

// Schemes lists the names of the verification schemes in alphabetical order.
func Schemes() []string { return slices.Sorted(maps.Keys(schemes)) }

// Open makes the scheme that v describes. It reads the files that v names and connects to nothing.
//
// The error joins one error for each fault. Each begins with the field as the configuration writes it, such as
// verify.allow_from[1]:, tells what to write instead, and holds no part of a key. A field that belongs to another scheme is
// a fault too: whoever wrote it believes that it protects something.
func Open(v sender.Verify, o Options) (Scheme, error) {
	open, ok := schemes[v.Scheme]
	if !ok {
		return nil, fmt.Errorf("verify.scheme: there is no scheme %q; write one of %s", v.Scheme, strings.Join(Schemes(), ", "))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var f faults
	checkForeign(v, &f)
	checkKeys(v, &f)
	if v.Tolerance != 0 && (v.Tolerance < time.Second || v.Tolerance > maxTolerance) {
		f.add("tolerance", "this must be between 1s and 1h; leave it out for 5m")
		v.Tolerance = 0
	}
	from := parseNetworks("allow_from", v.AllowFrom, &f)
	scheme := open(v, o, &f)
	if err := f.join(); err != nil {
		return nil, err
	}
	if len(from) > 0 {
		scheme = &guarded{Scheme: scheme, from: from}
	}
	return scheme, nil
}

// checkForeign refuses fields that the scheme does not look at.
func checkForeign(v sender.Verify, f *faults) {
	for _, x := range []struct {
		field string
		value any
		of    []string
	}{
		{"keys", v.Keys, []string{"standard-webhooks", "hmac", "shared-secret", "jwt", "ssf-set"}},
		{"tolerance", v.Tolerance, []string{"standard-webhooks", "hmac", "jwt", "ssf-set"}},
		{"hmac", v.HMAC, []string{"hmac"}},
		{"secret", v.Secret, []string{"shared-secret", "ssf-set"}},
		{"certificate", v.Certificate, []string{"mtls"}},
		{"token", v.Token, []string{"jwt", "ssf-set"}},
	} {
		if !slices.Contains(x.of, v.Scheme) && !empty(x.value) {
			f.add(x.field, "scheme %s does not look at this; remove it, or write scheme: %s", v.Scheme, strings.Join(x.of, " or "))
		}
	}
}

// empty tells whether nothing was written, neither as a value nor as an empty list.
func empty(x any) bool {
	v := reflect.ValueOf(x)
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if !empty(v.Field(i).Interface()) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// zendeskTest is what Zendesk signs trials with before a webhook is created. It is printed in its documentation.
const zendeskTest = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="

// checkKeys refuses what is no key in any scheme. What a scheme demands beyond it is told by the scheme.
func checkKeys(v sender.Verify, f *faults) {
	if len(v.Keys) > maxKeys {
		f.add("keys", "there are %d; at most %d may live at a time, so remove those that are not in use any more", len(v.Keys), maxKeys)
	}
	first := map[string]int{}
	for i, k := range v.Keys {
		field := at("keys", i)
		j, twice := first[k.Reveal()]
		switch {
		case k.Empty():
			f.add(field, "this is empty; check that its variable or file is set")
		case twice:
			f.add(field, "this is keys[%d] once more; remove one of the two", j)
		case k.Reveal() == zendeskTest:
			f.add(field, "this is the secret of Zendesk's trials, which everybody knows; take the secret of the webhook itself")
		}
		if !twice {
			first[k.Reveal()] = i
		}
	}
}

// checkSecretText refuses a shared text that is too short, or that has white space or control characters, which come from
// copying it with its line break and which no header carries. It says nothing where checkKeys does.
func checkSecretText(field string, k schemas.Secret, least int, why string, f *faults) {
	text := k.Reveal()
	switch {
	case text == "":
	case len(text) < least:
		f.add(field, "this has %d bytes and needs %d at least%s; make a longer one on both sides", len(text), least, why)
	case len(text) > maxSecret:
		f.add(field, "this has %d bytes and may have %d at most; check that only the secret is there", len(text), maxSecret)
	case strings.TrimSpace(text) != text || strings.ContainsFunc(text, isControl):
		f.add(field, "white space around it, or a line break or control character in it; remove it")
	}
}

// isControl finds what ends a header line or a line of a log.
func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
