package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/resetd/resetd/schemas/sender"
)

// mutualTLS is a client certificate, from the connection itself or from a proxy that ends TLS. The server that holds the
// connection must ask for certificates without verifying them (tls.RequestClientCert): the handshake then proves that the
// client has the key, and the rest is judged here, for each source by its own rules. Revocation lists are not read.
type mutualTLS struct {
	roots *x509.CertPool // nil: the pins alone count
	names []certName
	pins  [][sha256.Size]byte
	// header is where a proxy of the networks in proxies hands over the certificate; empty for none.
	header  string
	proxies networks
}

func openMTLS(v sender.Verify, _ Options, f *faults) Scheme { return openCertificate(v.Certificate, f) }

// Verify implements Scheme.
func (m *mutualTLS) Verify(_ context.Context, d *Delivery, now time.Time) (Proof, error) {
	leaf, between, err := m.presented(d)
	if err != nil {
		return Proof{}, err
	}
	if err := m.trusted(leaf, between, now); err != nil {
		return Proof{}, err
	}
	who := ""
	if len(m.names) > 0 {
		if who = m.named(leaf); who == "" {
			return Proof{}, refuse(ReasonWrongCertificate, "none of the certificate's alternative names is configured; compare its subject alternative name with verify.certificate.names")
		}
	}
	if len(m.pins) > 0 {
		pin := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
		if !slices.Contains(m.pins, pin) {
			return Proof{}, refuse(ReasonWrongCertificate, "the certificate's key is not pinned; write its pin below verify.certificate.spki when the sender has a new key")
		}
		if who == "" {
			who = pinText(pin)
		}
	}
	return Proof{Payload: d.Body, Who: who}, nil
}

// Covers implements Scheme. What comes over a connection is what its client sent; nothing tells when he first sent it.
func (*mutualTLS) Covers() Coverage { return Coverage{Body: true} }

// presented gives the certificate and what came with it. From a proxy of ours only the header counts, as the connection's
// certificate is the proxy's own. From anybody else the header is a forgery or a mistake, and never counts.
func (m *mutualTLS) presented(d *Delivery) (leaf *x509.Certificate, between []*x509.Certificate, err error) {
	if m.header != "" {
		values := d.Header[m.header]
		if m.proxies.hold(d.Peer) {
			text, err := single(d.Header, m.header)
			if e, ok := err.(*Error); ok && e.Reason == ReasonMissingToken {
				return nil, nil, refuse(ReasonNoCertificate, "the proxy handed over no certificate; let the sender present one, and the proxy ask for it and pass it on in %s", m.header)
			} else if err != nil {
				return nil, nil, err
			}
			return parseHandedOver(text)
		}
		if len(values) > 0 {
			return nil, nil, refuse(ReasonWrongCertificate, "%s came from an address that is no proxy in verify.certificate.proxy_from; only a proxy may say who the client is", m.header)
		}
	}
	if d.TLS == nil || len(d.TLS.PeerCertificates) == 0 {
		return nil, nil, refuse(ReasonNoCertificate, "the connection has no client certificate; let the sender present one")
	}
	chain := d.TLS.PeerCertificates
	if len(chain) > maxChain {
		return nil, nil, refuse(ReasonWrongCertificate, "%d certificates came; at most %d are looked at", len(chain), maxChain)
	}
	return chain[0], chain[1:], nil
}

// trusted tells whether the certificate holds now and descends from the configured authorities, if there are any.
func (m *mutualTLS) trusted(leaf *x509.Certificate, between []*x509.Certificate, now time.Time) error {
	switch {
	case now.Before(leaf.NotBefore):
		return refuse(ReasonNotYet, "the certificate does not hold yet; compare the clocks")
	case now.After(leaf.NotAfter):
		return refuse(ReasonExpired, "the certificate has run out; let the sender renew it")
	case !forClients(leaf):
		return refuse(ReasonWrongCertificate, "the certificate is not for clients; let it be issued with the extended key usage clientAuth")
	case m.roots == nil:
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range between {
		intermediates.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: m.roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil { // its text quotes the certificate, which anybody may have made
		return refuse(ReasonWrongCertificate, "the certificate does not descend from verify.certificate.ca; let the sender send the whole chain, and compare the authority")
	}
	return nil
}

// forClients tells whether the certificate may prove a client: it says so, or it says nothing about its use.
func forClients(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// named gives the first configured name that the certificate has, as it was configured.
func (m *mutualTLS) named(leaf *x509.Certificate) string {
	for _, n := range m.names {
		switch n.kind {
		case "dns":
			for _, have := range leaf.DNSNames {
				if equalFoldASCII(have, n.value) {
					return n.String()
				}
			}
		case "uri":
			for _, have := range leaf.URIs {
				if have.String() == n.value {
					return n.String()
				}
			}
		case "email":
			for _, have := range leaf.EmailAddresses {
				if sameMailbox(have, n.value) {
					return n.String()
				}
			}
		case "ip":
			for _, have := range leaf.IPAddresses {
				if bytes.Equal(have.To16(), n.ip[:]) {
					return n.String()
				}
			}
		}
	}
	return ""
}
