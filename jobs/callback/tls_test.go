package callback

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPostTrustsNoStrangeAuthority(t *testing.T) {
	r := newReceiver(t, nil)
	a, _ := post(t, mustNew(t, lab("", r.URL)), r.URL)
	wantClass(t, a, ClassTLS)
	if len(r.all()) != 0 {
		t.Error("the message was sent all the same")
	}
	if !strings.Contains(a.Detail, "tls_ca") {
		t.Error("the detail does not say which setting would help")
	}
}

func TestPostChecksNameAndTimeOfACertificate(t *testing.T) {
	for name, c := range map[string]*x509.Certificate{
		"other-host-of-the-certificate": {DNSNames: []string{"other-host-of-the-certificate"}, NotAfter: time.Now().Add(time.Hour)},
		"expired":                       {IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, nil, func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t, c)}} })
			a, _ := post(t, mustNew(t, lab(r.ca, r.URL)), r.URL)
			wantClass(t, a, ClassTLS)
			if len(r.all()) != 0 || strings.Contains(a.Detail, "other-host") {
				t.Error("sent all the same, or the foreign certificate is quoted")
			}
		})
	}
}

func TestPostRefusesOldTLS(t *testing.T) {
	r := newReceiver(t, nil, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} // an old receiver
	})
	a, _ := post(t, mustNew(t, lab(r.ca, r.URL)), r.URL)
	wantClass(t, a, ClassTLS)
}

func TestPostTellsAPortWithoutTLS(t *testing.T) {
	plain := rawServer(t, func(c *net.TCPConn) {
		_, _ = bufio.NewReader(c).ReadByte()
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	})
	a, _ := post(t, mustNew(t, lab("", "https://"+plain)), "https://"+plain)
	wantClass(t, a, ClassTLS)
}

func TestPostTellsThatTLSIsSpokenWhereHTTPWasAsked(t *testing.T) {
	r := newReceiver(t, nil)
	url := "http" + strings.TrimPrefix(r.URL, "https")
	a, _ := post(t, mustNew(t, lab(r.ca, url)), url)
	wantClass(t, a, ClassStatus)
	if a.HTTPStatus != http.StatusBadRequest {
		t.Errorf("attempt %+v", a)
	}
}

// selfSigned completes a template to a server certificate that is its own authority.
func selfSigned(t *testing.T, c *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(1), pkix.Name{CommonName: "receiver"}
	c.NotBefore, c.IsCA, c.BasicConstraintsValid = c.NotAfter.Add(-24*time.Hour), true, true
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
