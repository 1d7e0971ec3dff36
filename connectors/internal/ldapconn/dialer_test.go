package ldapconn

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/schemas"
)

// refusedAt tells why no encrypted connection comes about with whoever serves there.
func refusedAt(t *testing.T, scheme, ca string, serve func(net.Conn)) *schemas.Failure {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(c)
			}()
		}
	}()
	d, err := NewDialer(Settings{URL: scheme + l.Addr().String(), TLSCA: ca, Timeout: 10 * time.Second, Pool: 1}, Product[struct{}]{})
	if err != nil {
		t.Fatal(err)
	}
	s, f := d.Protected(context.Background(), d.preferred())
	if f == nil {
		s.Close()
		t.Fatal("there is a connection")
	}
	return f
}

func TestStartTLSAtAPortThatIsEncryptedFromTheStartSaysSo(t *testing.T) {
	ca, certificate := ldaptest.Authority(t, "127.0.0.1")
	for name, serve := range map[string]func(net.Conn){
		"a port for ldaps://": func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
		},
		"one that hangs up": func(c net.Conn) { _, _ = c.Read(make([]byte, 64)) },
	} {
		f := refusedAt(t, "ldap://", ca, serve)
		if f.Code != schemas.CodeUnavailable || !strings.Contains(f.Detail, "if this port is for ldaps://, write that") {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestAdviceOfThePortIsGivenOnlyWhereStartTLSWasNotAnswered(t *testing.T) {
	ca, _ := ldaptest.Authority(t, "127.0.0.1")
	_, stranger := ldaptest.Authority(t, "127.0.0.1")
	accept := []byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00} // the answer to StartTLS: success
	for name, one := range map[string]struct {
		scheme string
		serve  func(net.Conn)
	}{
		"ldaps://, and it hangs up": {"ldaps://", func(c net.Conn) { _, _ = c.Read(make([]byte, 64)) }},
		"the certificate is another's": {"ldap://", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 64))
			_, _ = c.Write(accept)
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{stranger}}).Handshake()
			_, _ = io.Copy(io.Discard, c)
		}},
	} {
		f := refusedAt(t, one.scheme, ca, one.serve)
		if strings.Contains(f.Detail, "if this port") || !strings.Contains(f.Detail, "tls_ca") {
			t.Errorf("%s: %v", name, f)
		}
	}
}
