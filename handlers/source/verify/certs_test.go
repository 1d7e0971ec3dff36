package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// identity is a certificate with its key and whatever stands between it and its root.
type identity struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	chain [][]byte // its own first
}

// issue makes a certificate; without an issuer it is signed by itself.
func issue(by *identity, change func(*x509.Certificate)) *identity {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, big.NewInt(1<<62))), Subject: pkix.Name{CommonName: "test"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer))
	id := &identity{cert: must(x509.ParseCertificate(der)), key: key, chain: [][]byte{der}}
	if by != nil && by.cert.CheckSignatureFrom(by.cert) != nil { // an intermediate goes along, a root does not
		id.chain = append(id.chain, by.chain...)
	}
	return id
}

func authority(by *identity, name string) *identity {
	return issue(by, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.Subject.CommonName = true, x509.KeyUsageCertSign, name
	})
}

// client makes a certificate for clients with these names.
func client(by *identity, names ...string) *identity {
	return issue(by, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		c.DNSNames = names
	})
}

func (i *identity) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

func (i *identity) pin() string {
	sum := sha256.Sum256(i.cert.RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}

func (i *identity) tls() tls.Certificate {
	return tls.Certificate{Certificate: i.chain, PrivateKey: i.key}
}

// state is the connection as a handshake would leave it; TestOverARealConnection makes real ones.
func (i *identity) state() *tls.ConnectionState {
	s := &tls.ConnectionState{}
	for _, der := range i.chain {
		s.PeerCertificates = append(s.PeerCertificates, must(x509.ParseCertificate(der)))
	}
	return s
}

// file writes certificates into a PEM file.
func file(t testing.TB, ids ...*identity) string {
	t.Helper()
	text := ""
	for _, i := range ids {
		text += i.pem()
	}
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func allNames(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	c.DNSNames = []string{"soar.example.com", "*.wild.example.com"}
	c.URIs = []*url.URL{must(url.Parse("spiffe://example.com/soar"))}
	c.EmailAddresses = []string{"Soar@example.com"}
	c.IPAddresses = []net.IP{net.ParseIP("192.0.2.7"), net.ParseIP("2001:db8::7")}
}
