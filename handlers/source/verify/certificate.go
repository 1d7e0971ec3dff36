package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/resetd/resetd/schemas/sender"
)

// certName is a subject alternative name that proves a sender. The common name is never looked at.
type certName struct {
	kind  string // dns, uri, email or ip
	value string
	ip    [16]byte
}

// String gives the name as it is configured.
func (n certName) String() string { return n.kind + ":" + n.value }

const pinPrefix = "sha256/"

// pinText writes the pin of a key as it is configured.
func pinText(pin [sha256.Size]byte) string {
	return pinPrefix + base64.StdEncoding.EncodeToString(pin[:])
}

// openCertificate reads the settings of scheme mtls. Somebody whom an authority of the public vouches for is not the
// sender yet, so that names or pins must be there; without an authority only pins tell anything.
func openCertificate(c sender.Certificate, f *faults) *mutualTLS {
	m := &mutualTLS{proxies: parseNetworks("certificate.proxy_from", c.ProxyFrom, f)}
	switch {
	case c.CA == "" && len(c.SPKI) == 0:
		f.add("certificate.ca", "this is missing; write the PEM file of the authority that issues the sender's certificate, or pin its key below spki")
	case c.CA != "" && len(c.Names) == 0 && len(c.SPKI) == 0:
		f.add("certificate.names", "this is missing, and every certificate of the authority would be taken; write names such as dns:soar.example.com, or pins below spki")
	case c.CA == "" && len(c.Names) > 0:
		f.add("certificate.names", "without ca anybody can write any name into a certificate; write ca too, or remove the names, as the pin says it all")
	}
	if c.CA != "" {
		m.roots = readAuthorities("certificate.ca", c.CA, x509.NewCertPool(), f)
	}
	for i, text := range c.Names {
		n, why := parseCertName(text)
		if why != "" {
			f.add(at("certificate.names", i), "%s", why)
			continue
		}
		m.names = append(m.names, n)
	}
	for i, text := range c.SPKI {
		encoded, ok := strings.CutPrefix(text, pinPrefix)
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !ok || err != nil || len(raw) != sha256.Size || strings.ContainsAny(encoded, "\r\n") {
			f.add(at("certificate.spki", i), "this is no pin; write sha256/ and the base64 of the SHA-256 of the SubjectPublicKeyInfo, which has 44 characters")
			continue
		}
		m.pins = append(m.pins, [sha256.Size]byte(raw))
	}
	switch {
	case c.ProxyHeader != "" && len(c.ProxyFrom) == 0:
		f.add("certificate.proxy_from", "this is missing; write the addresses of the proxies that set %s, and let them remove what clients send under this name", c.ProxyHeader)
	case c.ProxyHeader == "" && len(c.ProxyFrom) > 0:
		f.add("certificate.proxy_header", "this is missing; write the header in which the proxies hand over the certificate, such as X-SSL-Client-Cert")
	}
	if c.ProxyHeader != "" {
		m.header = f.header("certificate.proxy_header", c.ProxyHeader)
	}
	return m
}

// readAuthorities adds the certificates of a PEM file to a pool.
func readAuthorities(field, file string, pool *x509.CertPool, f *faults) *x509.CertPool {
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		f.add(field, "the file cannot be read: %w", err)
	case !pool.AppendCertsFromPEM(text):
		f.add(field, "%s holds no certificate in PEM form (BEGIN CERTIFICATE)", file)
	}
	return pool
}

// parseCertName reads kind:value, or tells what to write instead.
func parseCertName(text string) (n certName, why string) {
	kind, value, _ := strings.Cut(text, ":")
	n = certName{kind: kind, value: value}
	switch kind {
	case "dns":
		if value == "" || strings.ContainsAny(value, " /:@") {
			return n, "write a host name behind dns:, such as dns:soar.example.com"
		}
	case "uri":
		if u, err := url.Parse(value); err != nil || u.Scheme == "" || u.String() != value {
			return n, "write a whole URI behind uri:, such as uri:spiffe://example.com/soar"
		}
	case "email":
		if local, domain, ok := strings.Cut(value, "@"); !ok || local == "" || domain == "" || strings.Contains(domain, "@") {
			return n, "write an address behind email:, such as email:soar@example.com"
		}
	case "ip":
		a, err := netip.ParseAddr(value)
		if err != nil || a.Zone() != "" {
			return n, "write an address behind ip:, such as ip:192.0.2.7"
		}
		n.ip = a.As16()
	default:
		return n, "a name begins with dns:, uri:, email: or ip:, such as dns:soar.example.com; common names do not count"
	}
	return n, ""
}

// equalFoldASCII compares host names. Letters beyond ASCII do not occur in them; strings.EqualFold would take U+212A for k.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// sameMailbox compares e-mail addresses: the host by its letters, what stands before it exactly (RFC 5321 §2.4).
func sameMailbox(a, b string) bool {
	i, j := strings.LastIndexByte(a, '@'), strings.LastIndexByte(b, '@')
	return i > 0 && j > 0 && a[:i] == b[:j] && equalFoldASCII(a[i:], b[j:])
}
