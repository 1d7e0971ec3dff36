// Package ldaptest makes the faults of LDAP servers that a real one cannot be asked for. Only tests import it.
package ldaptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Proxy stands between a connector and a real server. It sees every password that is set, and makes faults.
type Proxy struct {
	URL string // where it listens

	// OnModify is what becomes of each modify request, or with First of that many; Before, if set, is called when one of
	// these arrives.
	OnModify Verdict
	Before   func()
	First    int
	Delay    time.Duration // before every answer
	// Refuse, with the verdict Answer, is what a modify request is answered with instead of being passed on.
	Refuse func(password string) (code uint16, text string)
	// RefuseSearch, if set, answers searches: with a code other than 0 instead of passing them on.
	RefuseSearch func(base string) (code uint16, text string)
	// Ignore names modify requests that are passed on and not counted.
	Ignore func(request *ber.Packet) bool

	// Release, with the verdict Hold, lets the request go on; then Late is sent to when it has been answered.
	Release, Late chan struct{}

	to        Target
	mu        sync.Mutex
	modifies  int
	passwords []string
	conns     []net.Conn
}

// Target is the server behind a proxy.
type Target struct {
	Dial func() (net.Conn, error)
	// TLS is what the proxy shows its clients; nil for an unencrypted connection.
	TLS *tls.Config
	// Secret is the attribute that passwords are in, and Read gives the password as its user types it; nil for as it is.
	Secret string
	Read   func(value string) string
}

// Verdict is what becomes of a request.
type Verdict int

// The verdicts.
const (
	Pass       Verdict = iota
	LoseAnswer         // the server does it, and the connection breaks before its answer
	Swallow            // the server never sees it, and nothing is answered
	Answer             // the server never sees it; the proxy answers
	Hold               // the server sees it later, whether or not the client is still there
)

// NewProxy starts a proxy that ends with the test.
func NewProxy(t testing.TB, to Target) *Proxy {
	t.Helper()
	p := &Proxy{to: to, Release: make(chan struct{}), Late: make(chan struct{}, 1)}
	p.URL = Listen(t, p.accept)
	if to.TLS != nil {
		p.URL = strings.Replace(p.URL, "ldap://", "ldaps://", 1)
	}
	return p
}

// Listen takes connections on loopback until the test ends, and gives the address as a URL with ldap://.
func Listen(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			all.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return "ldap://" + l.Addr().String()
}

// accept takes off the encryption, if there is one.
func (p *Proxy) accept(client net.Conn) {
	defer func() { _ = client.Close() }()
	if p.to.TLS != nil {
		secure := tls.Server(client, p.to.TLS)
		if err := secure.Handshake(); err != nil {
			return
		}
		client = secure
	}
	server, err := p.to.Dial()
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.conns = append(p.conns, client)
	p.mu.Unlock()
	p.serve(client, server)
}

// serve passes requests on one by one, and everything that comes back.
func (p *Proxy) serve(client, server net.Conn) {
	var raw bytes.Buffer
	requests := io.TeeReader(bufio.NewReader(client), &raw)
	var back sync.WaitGroup
	defer back.Wait()
	muted, answered := make(chan struct{}), make(chan struct{}, 1)
	var asked atomic.Bool // since the last thing that the server said
	back.Go(func() { p.relay(client, server, &asked, muted, answered) })
	for {
		raw.Reset()
		packet, err := ber.ReadPacket(requests)
		if err != nil {
			_ = server.Close()
			return
		}
		verdict := p.judge(packet, client)
		if verdict == LoseAnswer {
			close(muted)
		}
		if verdict == Hold {
			<-p.Release
			select {
			case <-answered: // an earlier answer
			default:
			}
		}
		if verdict == Pass || verdict == LoseAnswer || verdict == Hold {
			asked.Store(true)
			if _, err := server.Write(raw.Bytes()); err != nil {
				return
			}
		}
		if verdict == LoseAnswer {
			back.Wait()
			return
		}
		if verdict == Hold {
			<-answered
			p.Late <- struct{}{}
		}
	}
}

// relay copies answers. Once muted it keeps the next one and breaks the connection.
func (p *Proxy) relay(client, server net.Conn, asked *atomic.Bool, muted <-chan struct{}, answered chan<- struct{}) {
	defer close(answered)
	answers := make([]byte, 64<<10)
	for {
		n, err := server.Read(answers)
		select {
		case answered <- struct{}{}:
		default:
		}
		select {
		case <-muted:
			_ = client.Close()
			_ = server.Close()
			return
		default:
		}
		if err != nil {
			_ = client.Close()
			return
		}
		if asked.Swap(false) {
			time.Sleep(p.Delay)
		}
		if _, err := client.Write(answers[:n]); err != nil {
			return
		}
	}
}
