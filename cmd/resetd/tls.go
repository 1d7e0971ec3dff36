package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/resetd/resetd/cmd/resetd/config"
)

// serverTLS gives how resetd speaks TLS, or nil if a proxy does. Where a source proves itself by a client certificate, one
// is asked for of everybody; whether it proves anything is for the scheme of that source to say, so that others need none.
func serverTLS(c *config.Config) (*tls.Config, error) {
	if !c.TLS.On() {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key)
	if err != nil {
		return nil, fmt.Errorf("%s: tls: the certificate %s with the key %s cannot be used: %w; both must be PEM files that belong together", c.File, c.TLS.Certificate, c.TLS.Key, err)
	}
	out := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if slices.ContainsFunc(c.Sources, asksForCertificate) {
		out.ClientAuth = tls.RequestClientCert
	}
	return out, nil
}

// asksForCertificate tells whether a source proves itself by a certificate in the connection.
func asksForCertificate(s config.Source) bool { return schemeOf(s) == "mtls" }

// listen serves plain HTTP, or TLS if the server has a configuration for it.
func listen(s *http.Server, l net.Listener) error {
	if s.TLSConfig != nil {
		return s.ServeTLS(l, "", "")
	}
	return s.Serve(l)
}
