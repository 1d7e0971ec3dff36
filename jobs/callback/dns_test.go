package callback

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameserver answers A queries from a script, one line for each query, the last one for ever. It is a real server that
// speaks DNS on loopback. An empty line is NXDOMAIN, nil is SERVFAIL.
func nameserver(t *testing.T, script ...[]string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	asked := &atomic.Int64{}
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var query dnsmessage.Message
			if query.Unpack(buffer[:n]) != nil || len(query.Questions) == 0 {
				continue
			}
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true, RecursionAvailable: true}, Questions: query.Questions}
			if query.Questions[0].Type == dnsmessage.TypeA {
				line := script[min(int(asked.Add(1)), len(script))-1]
				switch {
				case line == nil:
					answer.RCode = dnsmessage.RCodeServerFailure
				case len(line) == 0:
					answer.RCode = dnsmessage.RCodeNameError
				}
				for _, ip := range line {
					answer.Answers = append(answer.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: query.Questions[0].Name, Class: dnsmessage.ClassINET},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(ip).As4()},
					})
				}
			} else if last := script[len(script)-1]; len(last) == 0 {
				answer.RCode = dnsmessage.RCodeNameError
				if last == nil {
					answer.RCode = dnsmessage.RCodeServerFailure
				}
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

// A checker that resolves the name itself sees a public address and is content; the name then leads to loopback. The
// guard must not be that checker.
func TestPostIsNotDeceivedByRebinding(t *testing.T) {
	r := newReceiver(t, nil)
	port := portOf(t, r.URL)
	resolver, asked := nameserver(t, []string{"93.184.215.14"}, []string{"127.0.0.1"})
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.com")
	if err != nil || len(first) != 1 || newGuard(false, false).check(first[0]) != nil {
		t.Fatalf("the first look at the name should please every check: %v, %v", first, err)
	}
	target := "https://rebind.example.com:" + port + "/"
	o := lab(r.ca, target)
	o.AllowPrivateNetworks, o.Resolver = false, resolver
	a, _ := post(t, mustNew(t, o), target)
	wantClass(t, a, ClassRefusedAddress)
	if asked.Load() < 2 || r.connections() != 0 {
		t.Errorf("%d lookups, %d connections to loopback", asked.Load(), r.connections())
	}
}

func TestPostUsesOnlyTheAllowedOnesOfSeveralAddresses(t *testing.T) {
	r := newReceiver(t, nil)
	port := portOf(t, r.URL)
	mixed, _ := nameserver(t, []string{"169.254.169.254", "100.100.100.200", "127.0.0.1"})
	target := "https://example.com:" + port + "/" // the name in the receiver's certificate
	o := lab(r.ca, target)
	o.Resolver = mixed
	a, _ := post(t, mustNew(t, o), target)
	wantDelivered(t, a)

	o.Resolver, _ = nameserver(t, []string{"169.254.169.254", "0.0.0.0", "224.0.0.1"})
	a, _ = post(t, mustNew(t, o), target)
	wantClass(t, a, ClassRefusedAddress)
}

func TestPostHoldsPlainHTTPToPrivateNetworksAfterDNS(t *testing.T) {
	o := lab("", "http://plain.example.com/")
	o.Resolver, _ = nameserver(t, []string{"93.184.215.14"})
	a, _ := post(t, mustNew(t, o), "http://plain.example.com/")
	wantClass(t, a, ClassRefusedAddress)
}

func TestPostNamesFaultsOfDNS(t *testing.T) {
	for name, line := range map[string][]string{"no such name": {}, "no answer to be had": nil} {
		o := lab("", "https://gone.example.com/")
		o.Resolver, _ = nameserver(t, line)
		a, _ := post(t, mustNew(t, o), "https://gone.example.com/")
		t.Log(name)
		wantClass(t, a, ClassDNS)
	}
}

func portOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}
