package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The length of an API token in characters: 24 hexadecimal digits are 96 bits, which nobody guesses.
const (
	minToken = 24
	maxToken = 512
)

// tokenForm is what a Bearer header can carry (RFC 6750 §2.1).
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// listenForm says how an address to listen on is written.
const listenForm = "this must be HOST:PORT, such as 127.0.0.1:8080, or :8080 for every address of the machine"

// reservedSource is the source of what operators ask for by the API.
const reservedSource = "api"

// check finds what no single value shows: names that meet nothing or meet twice, and keys without their counterpart.
func (d *decoder) check(c *Config, known Known) {
	d.checkAddress(c)
	systems := map[string]string{}
	for i, s := range c.Systems {
		path := fmt.Sprintf("systems[%d]", i)
		d.claim(systems, path+".name", "system", s.Name)
		d.oneOf(path+".kind", "kind of system", s.Kind, known.Kinds)
	}
	d.checkSourceSystems(c)
	sources := map[string]string{}
	for i, s := range c.Sources {
		path := fmt.Sprintf("sources[%d]", i)
		d.claim(sources, path+".name", "source", s.Name)
		if s.Name == reservedSource {
			d.fault(path+".name", "%s is the source of what operators ask for; choose another name", reservedSource)
		}
		d.oneOf(path+".preset", "preset", s.Preset, known.Presets)
		d.oneOf(path+".verify.scheme", "scheme", s.Verify.Scheme, known.Schemes)
		for j, name := range s.Systems {
			if _, ok := systems[name]; !ok {
				d.fault(fmt.Sprintf("%s.systems[%d]", path, j), "there is no system %q; %s", clip(name), choices("the systems are", c.SystemNames()))
			}
		}
		d.checkCallback(path+".callback", s.Callback)
	}
	d.checkTokens(c.API.Tokens)
	d.checkProxies(c.TrustedProxies)
	d.checkTLS(c.TLS)
}

// checkSourceSystems holds the systems of origin against the list of systems. One that has its accounts from yet another
// would make a task wait in a chain, and perhaps in a circle.
func (d *decoder) checkSourceSystems(c *Config) {
	for i, s := range c.Systems {
		path := fmt.Sprintf("systems[%d].source_system", i)
		at := slices.IndexFunc(c.Systems, func(o System) bool { return o.Name == s.SourceSystem })
		switch {
		case s.SourceSystem == "":
		case s.SourceSystem == s.Name:
			d.fault(path, "this must be another system; leave it out if the passwords live in %s itself", clip(s.Name))
		case at < 0:
			d.fault(path, "there is no system %q; %s", clip(s.SourceSystem), choices("the systems are", c.SystemNames()))
		case c.Systems[at].SourceSystem != "":
			d.fault(path, "%s has its accounts from %s; name that one", clip(s.SourceSystem), clip(c.Systems[at].SourceSystem))
		}
	}
}

// SystemNames lists the systems in the order of the file.
func (c *Config) SystemNames() []string {
	var out []string
	for _, s := range c.Systems {
		if s.Name != "" {
			out = append(out, s.Name)
		}
	}
	return out
}

func (d *decoder) checkAddress(c *Config) {
	_, port, err := net.SplitHostPort(c.Listen)
	if n, bad := strconv.Atoi(port); !d.faulty("listen") && (err != nil || bad != nil || n < 0 || n > 65535) {
		d.fault("listen", listenForm)
	}
	if u, ok := webURL(c.PublicURL); !d.faulty("public_url") && !d.faulty("listen") && (!ok || u.RawQuery != "") {
		d.fault("public_url", "this must be how others reach resetd, such as https://resetd.example.com")
	}
}

// checkProxies refuses what is no address, and what would let anybody say who he is.
func (d *decoder) checkProxies(list []string) {
	for i, text := range list {
		at := fmt.Sprintf("trusted_proxies[%d]", i)
		a, errAddress := netip.ParseAddr(text)
		p, errNetwork := netip.ParsePrefix(text)
		switch {
		case d.faulty(at), errAddress == nil && a.Zone() == "":
		case errNetwork != nil:
			d.fault(at, "this must be an address such as 10.0.0.5, or a network such as 10.0.0.0/24")
		case p.Bits() == 0:
			d.fault(at, "with this anybody could say from which address he comes; write the proxies alone")
		case p.Addr().Is4In6():
			d.fault(at, "write the IPv4 network, such as 10.0.0.0/24")
		case p != p.Masked():
			d.fault(at, "this is an address within a network; write %s for the network, or the address alone", p.Masked())
		}
	}
}

// checkTLS wants both files, or none.
func (d *decoder) checkTLS(t TLS) {
	switch {
	case t.On() && t.Certificate == "":
		d.fault("tls.certificate", "this is missing; write the PEM file of the certificate that belongs to the key")
	case t.On() && t.Key == "":
		d.fault("tls.key", "this is missing; write the PEM file of the certificate's key")
	}
}

func (d *decoder) checkCallback(path string, c Callback) {
	for i, text := range c.Allow {
		if u, ok := webURL(text); !ok || u.RawQuery != "" {
			d.fault(fmt.Sprintf("%s.allow[%d]", path, i), "this must be the beginning of a URL with a whole host, such as https://soar.example.com/hooks/")
		}
	}
	if _, ok := webURL(c.URL); c.URL != "" && !ok {
		d.fault(path+".url", "this must be a URL such as https://soar.example.com/hooks/resetd")
	}
	keys := c.SigningKeys()
	for i, k := range keys {
		at := path + ".key"
		if len(c.Keys) > 0 {
			at = fmt.Sprintf("%s.keys[%d]", path, i)
		}
		if !k.IsZero() && !k.CanSign() {
			d.fault(at, "this is a public key, which cannot sign; use the whsk_ key that belongs to it")
		}
	}
	_, hasKey := d.places[path+".key"]
	_, hasKeys := d.places[path+".keys"]
	switch wanted := c.URL != "" || len(c.Allow) > 0; {
	case hasKey && hasKeys:
		d.fault(path+".key", "key and keys say the same; put this one first in keys and remove it here")
	case wanted && c.signed() && len(keys) == 0 && !hasKey && !hasKeys:
		d.fault(path+".key", "callbacks are always signed, and there is no key; write key: %s or key: file:PATH", d.variableFor(path+".key"))
	case !wanted && c.signed() && len(keys) > 0:
		d.warn(path, "there is a key, but neither url nor allow, so no callback is ever sent; add one of them")
	}
}

func (d *decoder) checkTokens(tokens []Token) {
	names, values := map[string]string{}, map[string]string{}
	for i, t := range tokens {
		path := fmt.Sprintf("api.tokens[%d]", i)
		d.claim(names, path+".name", "token", t.Name)
		if t.Token.Empty() {
			continue
		}
		text := t.Token.Reveal()
		if len(text) < minToken || len(text) > maxToken || !tokenForm.MatchString(text) {
			d.fault(path+".token", "a token has %d to %d letters, digits and . _ ~ + / -; make one with: openssl rand -hex 32", minToken, maxToken)
		}
		if owner, taken := values[text]; taken {
			d.fault(path+".token", "%s is the same token, so the history could not tell who acted; make another with: openssl rand -hex 32", owner)
		}
		values[text] = path
	}
}

// claim notes the name of a thing and refuses one that is taken.
func (d *decoder) claim(taken map[string]string, path, what, name string) {
	if first, ok := taken[name]; ok && name != "" {
		d.fault(path, "another %s, in line %d, has this name; give each its own", what, d.placeOf(first).line)
	}
	taken[name] = path
}

// oneOf checks a name against a list, if there is one.
func (d *decoder) oneOf(path, what, name string, list []string) {
	if list == nil || name == "" || slices.Contains(list, name) {
		return
	}
	advice := choices("there are", list)
	if near := Nearest(name, list); near != "" {
		advice = "did you mean " + near + "?"
	}
	d.fault(path, "there is no %s %q; %s", what, clip(name), advice)
}

func choices(intro string, list []string) string {
	if len(list) == 0 {
		return "none is configured"
	}
	return intro + " " + strings.Join(list, ", ")
}

// webURL reads an absolute http or https URL without user, password and fragment.
func webURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, false
	}
	return u, true
}

// clip shortens what an error quotes.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
