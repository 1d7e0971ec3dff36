package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/resetd/resetd/schemas/sender"
)

// openPublicKeys reads where the issuer's keys are: a URL, a file, or what its discovery document names.
func openPublicKeys(v sender.Verify, o Options, f *faults) *keySource {
	t := v.Token
	s := &keySource{now: o.Now, logger: o.Logger, timeout: fetchTimeout, patience: patience}
	if file, ok := strings.CutPrefix(t.JWKS, "file:"); ok {
		if !filepath.IsAbs(file) {
			file = filepath.Join(o.Dir, file)
		}
		s.fetch = func(context.Context) ([]publicKey, error) { return readKeySet(file) }
		if _, err := s.fetch(context.Background()); err != nil {
			f.add("token.jwks", "%w", err)
		}
		if t.CA != "" {
			f.add("token.ca", "with keys from a file nothing is fetched; remove it")
		}
		return s
	}
	client := openKeyClient(t.CA, o, f)
	if t.JWKS != "" {
		if why := checkAddress(t.JWKS, true); why != "" {
			f.add("token.jwks", "%s, or file:PATH", why)
		}
		s.fetch = func(ctx context.Context) ([]publicKey, error) { return client.keySet(ctx, t.JWKS) }
		return s
	}
	document, why := discoveryURL(t.Issuer, v.Scheme == "ssf-set")
	if t.Issuer != "" && why != "" {
		f.add("token.issuer", "%s, so that its keys can be discovered; or write their address as token.jwks", why)
	}
	s.fetch = func(ctx context.Context) ([]publicKey, error) { return client.discover(ctx, t.Issuer, document) }
	return s
}

// readKeySet reads the keys from a file, as often as they would be fetched.
func readKeySet(file string) ([]publicKey, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	defer func() { _ = r.Close() }()
	body, err := readCapped(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	keys, err := parseKeySet(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

// discoveryURL gives where an issuer describes itself: behind its path for OpenID Connect (Discovery 1.0 §4), before it for
// Shared Signals (SSF 1.0, Transmitter Configuration Request). If the issuer is no address, it tells what to write.
func discoveryURL(issuer string, events bool) (address, why string) {
	if why := checkAddress(issuer, false); why != "" {
		return "", why
	}
	if !events {
		return strings.TrimRight(issuer, "/") + "/.well-known/openid-configuration", ""
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return "", "this is no address"
	}
	return u.Scheme + "://" + u.Host + "/.well-known/ssf-configuration" + strings.TrimRight(u.EscapedPath(), "/"), ""
}

// checkAddress wants https, or http to this machine alone. It gives what to write instead.
func checkAddress(text string, query bool) (why string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "this is no address; write one such as https://login.example.com"
	case u.User != nil || u.Fragment != "" || !query && (u.RawQuery != "" || u.ForceQuery):
		return "an address here has no user, no fragment and, if keys are discovered from it, no query; write it without"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "over http:// anybody on the way could put in his own keys; write https://"
	}
	return ""
}

// loopback tells whether a host is this machine, by its name or address alone: 127.example.com is somebody else's.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// onLoopback tells whether an address is on this machine.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && loopback(u.Hostname())
}

// keyClient fetches documents of issuers.
type keyClient struct{ http *http.Client }

func openKeyClient(ca string, o Options, f *faults) keyClient {
	t := o.Transport
	if t == nil {
		t = http.DefaultTransport.(*http.Transport)
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	if ca != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		t.TLSClientConfig.RootCAs = readAuthorities("token.ca", ca, pool, f)
	}
	asItIs := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return keyClient{&http.Client{Transport: t, CheckRedirect: asItIs}}
}

// keySet fetches a JWK Set.
func (c keyClient) keySet(ctx context.Context, address string) ([]publicKey, error) {
	body, err := c.get(ctx, address)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeySet(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return keys, nil
}

// discover fetches the issuer's description, and the keys from where it says. The document must be that of the issuer.
func (c keyClient) discover(ctx context.Context, issuer, document string) ([]publicKey, error) {
	body, err := c.get(ctx, document)
	if err != nil {
		return nil, err
	}
	var d struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("%s: this is no JSON object that describes an issuer", document)
	}
	if d.Issuer != issuer {
		return nil, fmt.Errorf("%s: it describes the issuer %.200q and not %q; write verify.token.issuer as the document has it", document, d.Issuer, issuer)
	}
	if why := checkAddress(d.JWKS, true); why != "" {
		return nil, fmt.Errorf("%s: its jwks_uri cannot be used: %s", document, why)
	}
	// Only an issuer on this machine may send us to this machine.
	if onLoopback(d.JWKS) && !onLoopback(document) {
		return nil, fmt.Errorf("%s: its jwks_uri names this machine, where the issuer is not", document)
	}
	return c.keySet(ctx, d.JWKS)
}

// get fetches a document. The error names the address and what to do.
func (c keyClient) get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the address cannot be used")
	}
	r.Header.Set("Accept", "application/json, application/jwk-set+json")
	answer, err := c.http.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // which does not name the address again
		}
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return nil, fmt.Errorf("%s: it redirects (status %d), which is not followed; write the final address", address, answer.StatusCode)
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: it answers with status %d instead of 200", address, answer.StatusCode)
	}
	body, err := readCapped(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return body, nil
}

// readCapped reads all, and refuses instead of cutting off what is too long.
func readCapped(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxKeySetBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySetBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxKeySetBytes)
	}
	return body, nil
}
