package callback

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL is the longest callback URL, as the request's validation has it.
const maxURL = 2048

// target is a callback URL taken apart, each part in the one form in which it can be compared.
type target struct {
	scheme string // http or https
	host   string // lower case; an IP address in its canonical form
	port   string // never empty
	path   string // decoded; begins with a slash
	query  string // as written
}

// parseTarget takes a URL apart and refuses every one that could be read in two ways: what the list allows must be what
// the transport asks for and what the receiver serves. The error does not repeat the URL.
func parseTarget(raw string) (target, error) {
	if len(raw) > maxURL {
		return target{}, fmt.Errorf("it is %d bytes long; at most %d are taken", len(raw), maxURL)
	}
	for _, c := range []byte(raw) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			return target{}, fmt.Errorf("it holds the byte 0x%02X, which has no place in a URL; percent-encode it, and write a host of other letters in its xn-- form", c)
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "":
		return target{}, errors.New("it is not an absolute URL such as https://soar.example.com/hooks/resetd")
	case u.Scheme != "https" && u.Scheme != "http":
		return target{}, errors.New("it must begin with https://")
	case u.User != nil || strings.Contains(u.Host, "@"):
		return target{}, errors.New("it holds a user name or password before the host; leave it out, callbacks are signed")
	case strings.Contains(raw, "#"):
		return target{}, errors.New("it holds a fragment (#…), which is never sent; leave it out")
	}
	t := target{scheme: u.Scheme, path: u.Path, query: u.RawQuery}
	if t.host, err = parseHost(u.Hostname()); err != nil {
		return target{}, err
	}
	if t.port, err = parsePort(u); err != nil {
		return target{}, err
	}
	if t.path == "" {
		t.path = "/"
	}
	return t, checkPath(u.EscapedPath(), t.path)
}

// parseHost gives a name in lower case, or an address in its one canonical form. A name that ends in a number is none
// (WHATWG URL §3.5): 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to some resolvers.
func parseHost(host string) (string, error) {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	host = strings.ToLower(host)
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", errors.New("its host is neither a DNS name, without a dot at the end, nor an IP address")
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == "" {
		return "", errors.New("its host ends in a number but is not an IP address in its usual form, such as 192.0.2.1")
	}
	return host, nil
}

func parsePort(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		if strings.HasSuffix(u.Host, ":") {
			return "", errors.New("it has a colon after the host and no port")
		}
		return defaultPort(u.Scheme), nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return "", errors.New("its port is not a number from 1 to 65535")
	}
	return port, nil
}

// checkPath refuses the spellings by which a path leaves the prefix that it seems to lie under: steps to the parent, also
// with a path parameter behind them (some servers read ..;x as ..), empty segments, and encoded characters that divide
// segments or would be decoded twice.
func checkPath(escaped, decoded string) error {
	for i := 0; i+2 < len(escaped); i++ {
		if escaped[i] != '%' {
			continue
		}
		if c, err := strconv.ParseUint(escaped[i+1:i+3], 16, 8); err != nil || c < ' ' || c == 0x7f || strings.IndexByte(`./\%;`, byte(c)) >= 0 {
			return fmt.Errorf("its path holds %%%s; encoded dots, slashes, backslashes, semicolons, percent signs and control characters are not taken", escaped[i+1:i+3])
		}
	}
	segments := strings.Split(decoded, "/")[1:]
	for i, s := range segments {
		s, _, _ = strings.Cut(s, ";")
		if s == "." || s == ".." || s == "" && i < len(segments)-1 {
			return errors.New("its path holds an empty segment, . or ..; write it out")
		}
	}
	return nil
}

// under tells whether t lies under a prefix: the same scheme, host and port, and a path that is the prefix's or goes on
// after a slash. /hooks covers /hooks and /hooks/a, never /hooksa; /hooks/ covers what is below.
func (t target) under(prefix target) bool {
	if t.scheme != prefix.scheme || t.host != prefix.host || t.port != prefix.port {
		return false
	}
	return t.path == prefix.path || strings.HasPrefix(t.path, strings.TrimSuffix(prefix.path, "/")+"/")
}

// place is what may be shown of a URL: scheme, host and port. Path and query may carry a token.
func (t target) place() string {
	host := t.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if t.port != defaultPort(t.scheme) {
		host += ":" + t.port
	}
	return t.scheme + "://" + host
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}
