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
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// proxy stands between the connector and slapd on an unencrypted connection. It sees every password that is set, and makes
// the faults that a real server cannot be asked for.
type proxy struct {
	url string
	to  string // slapd's host:port

	// onModify is what becomes of each modify request, or with first of that many; before, if set, is called when one of
	// these arrives.
	onModify verdict
	before   func()
	first    int
	delay    time.Duration // before every answer
	// refuse, with the verdict answer, is what a modify request is answered with instead of being passed on.
	refuse func(password string) (code uint16, text string)

	// release, with the verdict hold, lets the request go on; then late is sent to when it has been answered.
	release, late chan struct{}

	mu        sync.Mutex
	modifies  int
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
	hold               // slapd sees it later, whether or not the client is still there
)

func newProxy(t *testing.T, url string) *proxy {
	t.Helper()
	p := &proxy{to: strings.TrimPrefix(url, "ldap://"), release: make(chan struct{}), late: make(chan struct{}, 1)}
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
	muted, answered := make(chan struct{}), make(chan struct{}, 1)
	back.Go(func() { p.relay(client, server, muted, answered) })
	for {
		raw.Reset()
		packet, err := ber.ReadPacket(requests)
		if err != nil {
			_ = server.Close()
			return
		}
		verdict := pass
		if request := packet.Children[1]; request.Tag == ldap.ApplicationModifyRequest && !asks(request) {
			password, count := p.note(request)
			if all := p.first == 0; all || count <= p.first {
				verdict = p.onModify
				if p.before != nil {
					p.before()
				}
			}
			if verdict == answer {
				code, text := p.refuse(password)
				_, _ = client.Write(modifyResponse(packet.Children[0].Value.(int64), code, text))
			}
		}
		if verdict == loseAnswer {
			close(muted)
		}
		if verdict == hold {
			<-p.release
			select {
			case <-answered: // an earlier answer
			default:
			}
		}
		if verdict == pass || verdict == loseAnswer || verdict == hold {
			if _, err := server.Write(raw.Bytes()); err != nil {
				return
			}
		}
		if verdict == loseAnswer {
			back.Wait()
			return
		}
		if verdict == hold {
			<-answered
			p.late <- struct{}{}
		}
	}
}

// relay copies answers. Once muted it keeps the next one and breaks the connection.
func (p *proxy) relay(client, server net.Conn, muted <-chan struct{}, answered chan<- struct{}) {
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
		time.Sleep(p.delay)
		if _, err := client.Write(answers[:n]); err != nil {
			return
		}
	}
}

// asks tells whether a modify request only asks for the policy overlay: it adds two passwords at once.
func asks(request *ber.Packet) bool {
	return slices.ContainsFunc(request.Children[1].Children, func(change *ber.Packet) bool {
		kind, _ := change.Children[0].Value.(int64)
		return kind == ldap.AddAttribute && len(change.Children[1].Children[1].Children) == 2
	})
}

// note keeps the password that a modify request sets, and counts the requests.
func (p *proxy) note(request *ber.Packet) (password string, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.modifies++
	for _, change := range request.Children[1].Children {
		kind, _ := change.Children[0].Value.(int64)
		name, _ := change.Children[1].Children[0].Value.(string)
		if kind != ldap.ReplaceAttribute || name != "userPassword" {
			continue
		}
		password, _ = change.Children[1].Children[1].Children[0].Value.(string)
		p.passwords = append(p.passwords, password)
	}
	return password, p.modifies
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
	return result(id, ldap.ApplicationModifyResponse, code, text)
}

// result is an answer of any kind with an LDAPResult in it (RFC 4511 §4.1.9).
func result(id int64, kind ber.Tag, code uint16, text string) []byte {
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	response := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kind, nil, "")
	response.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, ""))
	packet.AppendChild(response)
	return packet.Bytes()
}
