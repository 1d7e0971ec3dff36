package openldap_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// proxy stands between the connector and slapd on an unencrypted connection. It sees every password that is set, and makes
// the faults that a real server cannot be asked for.
type proxy struct {
	url string
	to  string // slapd's host:port

	// onModify is what becomes of each modify request; before, if set, is called when one arrives.
	onModify verdict
	before   func()
	// refuse, with the verdict answer, is what a modify request is answered with instead of being passed on.
	refuse func(password string) (code uint16, text string)

	mu        sync.Mutex
	passwords []string
	conns     []net.Conn
}

// verdict is what becomes of a request.
type verdict int

const (
	pass       verdict = iota
	loseAnswer         // slapd does it, and the connection breaks before its answer
	swallow            // slapd never sees it, and nothing is answered
	answer             // slapd never sees it; the proxy answers
)

func newProxy(t *testing.T, url string) *proxy {
	t.Helper()
	p := &proxy{to: strings.TrimPrefix(url, "ldap://")}
	p.url = listen(t, p.serve)
	return p
}

// listen takes connections on loopback until the test ends, and gives the address as a URL.
func listen(t *testing.T, serve func(net.Conn)) string {
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

// serve passes requests on one by one, and everything that comes back.
func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.conns = append(p.conns, client)
	p.mu.Unlock()
	var raw bytes.Buffer
	requests := io.TeeReader(bufio.NewReader(client), &raw)
	var back sync.WaitGroup
	defer back.Wait()
	muted := make(chan struct{})
	back.Go(func() { p.relay(client, server, muted) })
	for {
		raw.Reset()
		packet, err := ber.ReadPacket(requests)
		if err != nil {
			_ = server.Close()
			return
		}
		verdict := pass
		if request := packet.Children[1]; request.Tag == ldap.ApplicationModifyRequest {
			password := p.note(request)
			if p.before != nil {
				p.before()
			}
			if verdict = p.onModify; verdict == answer {
				code, text := p.refuse(password)
				_, _ = client.Write(modifyResponse(packet.Children[0].Value.(int64), code, text))
			}
		}
		if verdict == loseAnswer {
			close(muted)
		}
		if verdict == pass || verdict == loseAnswer {
			if _, err := server.Write(raw.Bytes()); err != nil {
				return
			}
		}
		if verdict == loseAnswer {
			back.Wait()
			return
		}
	}
}

// relay copies answers. Once muted it keeps the next one and breaks the connection.
func (p *proxy) relay(client, server net.Conn, muted <-chan struct{}) {
	answers := make([]byte, 64<<10)
	for {
		n, err := server.Read(answers)
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
		if _, err := client.Write(answers[:n]); err != nil {
			return
		}
	}
}

// note keeps the password that a modify request sets.
func (p *proxy) note(request *ber.Packet) (password string) {
	for _, change := range request.Children[1].Children {
		kind, _ := change.Children[0].Value.(int64)
		name, _ := change.Children[1].Children[0].Value.(string)
		if kind != ldap.ReplaceAttribute || name != "userPassword" {
			continue
		}
		password, _ = change.Children[1].Children[1].Children[0].Value.(string)
		p.mu.Lock()
		p.passwords = append(p.passwords, password)
		p.mu.Unlock()
	}
	return password
}

// seen gives the passwords that went by.
func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.passwords)
}

// cut breaks every connection, as a firewall or a server that is started anew does.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

func modifyResponse(id int64, code uint16, text string) []byte {
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	response := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationModifyResponse, nil, "")
	response.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, ""))
	packet.AppendChild(response)
	return packet.Bytes()
}
