package callback

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// The bounds of a connection beside the attempt's own. The transport may go on connecting after the attempt has ended, so
// these must end by themselves.
const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 60 * time.Second
	maxHeaders       = 16 << 10
	// An HTTP/2 connection that is silent for pingAfter is asked for a sign of life, and dropped without one: otherwise a
	// dead one would take every attempt until the system's TCP gives up.
	pingAfter   = 5 * time.Second
	pingTimeout = 5 * time.Second
)

// handshakeError marks a failure of TLS, as against one of TCP or HTTP.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// newClient makes the client of one scheme. Each scheme has a guard of its own, so that plain http is held to private
// networks whatever a name resolves to.
func newClient(o Options, roots *x509.CertPool, plain bool) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: o.Resolver, Control: newGuard(o.AllowPrivateNetworks, plain).control}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	return &http.Client{
		// A redirect is the receiver's wish to be called at an address that nobody allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:       nil, // not even that of the environment: it would dial for us, and the guard would judge the proxy
			DialContext: dialer.DialContext,
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialTLS(ctx, dialer, config, network, address)
			},
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
			DisableCompression:     true, // nothing is unpacked, so nothing can grow
			MaxResponseHeaderBytes: maxHeaders,
			MaxIdleConnsPerHost:    PerEndpoint,
			IdleConnTimeout:        idleTimeout,
		},
	}
}

// dialTLS connects and shakes hands here rather than in the transport, so that the two can be told apart.
func dialTLS(ctx context.Context, dialer *net.Dialer, config *tls.Config, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config = config.Clone()
	config.ServerName = host
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, &handshakeError{err}
	}
	return conn, nil
}

// loadRoots gives the system's certificates and those of a PEM file; nil, for the system's alone, without a file.
func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("callbacks.tls_ca: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without certificates of its own
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("callbacks.tls_ca: the file " + file + " holds no certificate in PEM form")
	}
	return roots, nil
}
