package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// Options is what a Client needs. Base and System must be set.
type Options struct {
	// Base is what the path of every call is put behind: https://graph.microsoft.com/v1.0.
	Base string
	// System is the system's name in the configuration, and Product what a person calls it ("Okta"); both are for messages.
	System, Product string
	// Tokens signs calls in; nil for none.
	Tokens *Tokens
	// Scheme stands before the token in the Authorization header; empty is Bearer.
	Scheme string
	// TLSCA is a PEM file with the authorities that may vouch for the system; empty is the machine's own.
	TLSCA string
	// MaxConns bounds the connections to one host; zero is 32.
	MaxConns int
	// Explain gives the meaning of an answer that is no success, or nil for the usual one of its status. The text of the
	// failure must not quote anything but what the vendor documents as harmless.
	Explain func(*Answer) *schemas.Failure
	// Watch sees every answer, for hints about the pace; nil for none.
	Watch func(*Answer)
}

// Client calls one system. Its methods may be called at the same time.
type Client struct {
	Options
	http *http.Client

	mu    sync.Mutex
	tls   *schemas.TLS
	clock time.Time
}

// New makes a client. It reads the CA file and connects to nothing. Its error is a *connectors.ConfigError on tls_ca.
func New(o Options) (*Client, error) {
	client, err := HTTPClient(o.TLSCA, o.MaxConns)
	if err != nil {
		return nil, err
	}
	o.Base = strings.TrimRight(o.Base, "/")
	return &Client{Options: o, http: client}, nil
}

// HTTPClient makes the client underneath, for libraries that bring calls of their own: TLS 1.2 or later, the given
// authorities or the machine's own, the proxy of the environment, no redirect, and no time-out beside the context's. Its
// error is a *connectors.ConfigError on tls_ca.
func HTTPClient(ca string, conns int) (*http.Client, error) {
	if conns == 0 {
		conns = 32
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxConnsPerHost, t.MaxIdleConnsPerHost, t.MaxIdleConns = conns, conns, conns
	t.IdleConnTimeout = 30 * time.Second // less than what servers and firewalls grant as a rule
	t.MaxResponseHeaderBytes = 64 << 10
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	// One HTTP/2 connection carries many calls; a dead one is noticed by a ping and not by each of them anew.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, connectors.Mistake("tls_ca", "the file cannot be read: %w", err)
		}
		// An empty pool and not the machine's: whoever names an authority wants that one and no other.
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, connectors.Mistake("tls_ca", "%s holds no certificate in PEM form (BEGIN CERTIFICATE)", ca)
		}
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// HTTP gives the client underneath, for a library that fetches tokens.
func (c *Client) HTTP() *http.Client { return c.http }

// Close lets go of connections that lie idle.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Seen gives how the last connection was protected, nil before the first answer, and what the system's clock showed, for a probe.
func (c *Client) Seen() (*schemas.TLS, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tls, c.clock
}

// note keeps what an answer shows beside its content.
func (c *Client) note(r *http.Response) {
	clock, _ := http.ParseTime(r.Header.Get("Date"))
	secure := Protection(r.TLS)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tls, c.clock = secure, clock
}

// PlainHere stands in place of a version of TLS where there was none, which CheckURL allows to this machine alone.
const PlainHere = "plain http to this machine"

// Protection gives how an answer came, from the connection's state, which is nil for plain http.
func Protection(state *tls.ConnectionState) *schemas.TLS {
	if state == nil {
		return &schemas.TLS{Version: PlainHere}
	}
	secure := &schemas.TLS{Version: tls.VersionName(state.Version)}
	for _, chain := range state.VerifiedChains {
		for _, cert := range chain {
			if secure.Until.IsZero() || cert.NotAfter.Before(secure.Until) {
				secure.Until = cert.NotAfter
			}
		}
	}
	return secure
}

// CheckURL reads an address that a configuration gives: https, or http to this machine alone, without user, query and
// fragment. Its error says what to write instead.
func CheckURL(key, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return connectors.Mistake(key, "this is missing; write an address such as https://example.com")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return connectors.Mistake(key, "this is no address; write one such as https://example.com")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return connectors.Mistake(key, "an address here has no user, query or fragment; credentials have keys of their own")
	case u.Scheme == "http" && !local(u.Hostname()):
		return connectors.Mistake(key, "http:// would send credentials and passwords readable over the network; write https://")
	}
	return nil
}

// local tells whether a host is this machine, by its name or address alone: 127.example.com is somebody else's.
func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// ended tells why a context ended, or nil.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return err
	}
	return nil
}
