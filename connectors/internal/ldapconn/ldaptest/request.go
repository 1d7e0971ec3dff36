package ldaptest

import (
	"net"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// judge decides about one request, and answers it if that is the verdict.
func (p *Proxy) judge(packet *ber.Packet, client net.Conn) Verdict {
	request := packet.Children[1]
	id, _ := packet.Children[0].Value.(int64)
	switch {
	case request.Tag == ldap.ApplicationSearchRequest && p.RefuseSearch != nil:
		base, _ := request.Children[0].Value.(string)
		if code, text := p.RefuseSearch(base); code != 0 {
			_, _ = client.Write(Result(id, ldap.ApplicationSearchResultDone, code, text))
			return Answer
		}
	case request.Tag == ldap.ApplicationModifyRequest && (p.Ignore == nil || !p.Ignore(request)):
		password, count := p.note(request)
		if p.First > 0 && count > p.First {
			return Pass
		}
		if p.Before != nil {
			p.Before()
		}
		if p.OnModify == Answer {
			code, text := p.Refuse(password)
			_, _ = client.Write(Result(id, ldap.ApplicationModifyResponse, code, text))
		}
		return p.OnModify
	}
	return Pass
}

// note keeps the password that a modify request sets, and counts the requests.
func (p *Proxy) note(request *ber.Packet) (password string, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.modifies++
	for _, change := range request.Children[1].Children {
		kind, _ := change.Children[0].Value.(int64)
		name, _ := change.Children[1].Children[0].Value.(string)
		if kind != ldap.ReplaceAttribute || name != p.to.Secret {
			continue
		}
		password, _ = change.Children[1].Children[1].Children[0].Value.(string)
		if p.to.Read != nil {
			password = p.to.Read(password)
		}
		p.passwords = append(p.passwords, password)
	}
	return password, p.modifies
}

// Seen gives the passwords that went by.
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.passwords)
}

// Modifies gives how many modify requests went by.
func (p *Proxy) Modifies() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.modifies
}

// Cut breaks every connection, as a firewall or a server that is started anew does.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

// Result is an answer of any kind with an LDAPResult in it (RFC 4511 §4.1.9).
func Result(id int64, kind ber.Tag, code uint16, text string) []byte {
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	response := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kind, nil, "")
	response.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, ""))
	packet.AppendChild(response)
	return packet.Bytes()
}
