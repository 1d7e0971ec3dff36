package callback

import (
	"errors"
	"net/netip"
	"testing"
)

// What the guard does with an address: by https and by plain http, without and with private networks allowed.
const (
	refusedAlways = "never"
	httpsAlways   = "https"             // public: https, whatever is allowed
	whenAllowed   = "if private is set" // https and http, once private networks are allowed
)

var addresses = []struct{ ip, verdict string }{
	{"93.184.215.14", httpsAlways}, {"1.1.1.1", httpsAlways}, {"2606:4700:4700::1111", httpsAlways}, {"2a00:1450:4001::200e", httpsAlways},
	{"::ffff:93.184.215.14", httpsAlways}, {"64:ff9b::5db8:d70e", httpsAlways}, // 93.184.215.14, mapped and by NAT64

	{"127.0.0.1", whenAllowed}, {"127.255.255.254", whenAllowed}, {"::1", whenAllowed}, {"::ffff:127.0.0.1", whenAllowed},
	{"10.0.0.1", whenAllowed}, {"10.255.255.255", whenAllowed}, {"172.16.0.1", whenAllowed}, {"172.31.255.255", whenAllowed},
	{"192.168.0.1", whenAllowed}, {"::ffff:192.168.0.1", whenAllowed}, {"100.64.0.1", whenAllowed}, {"100.127.255.255", whenAllowed},
	{"fc00::1", whenAllowed}, {"fd12:3456:789a::1", whenAllowed}, {"fdff:ffff::1", whenAllowed},
	{"172.15.255.255", httpsAlways}, {"172.32.0.1", httpsAlways}, {"100.128.0.1", httpsAlways}, {"11.0.0.1", httpsAlways},

	{"0.0.0.0", refusedAlways}, {"0.1.2.3", refusedAlways}, {"::", refusedAlways}, {"::ffff:0.0.0.0", refusedAlways},
	{"169.254.169.254", refusedAlways}, {"169.254.0.1", refusedAlways}, {"169.254.170.2", refusedAlways}, {"::ffff:169.254.169.254", refusedAlways},
	{"100.100.100.200", refusedAlways}, {"::ffff:100.100.100.200", refusedAlways}, {"168.63.129.16", refusedAlways},
	{"fd00:ec2::254", refusedAlways}, {"fd00:ec2::23", refusedAlways}, {"fd20:ce::254", refusedAlways}, {"fd00:c1::a9fe:a9fe", refusedAlways},
	{"fe80::1", refusedAlways}, {"fe80::1%eth0", refusedAlways}, {"febf::1", refusedAlways}, {"fec0::1", refusedAlways},
	{"224.0.0.1", refusedAlways}, {"239.255.255.250", refusedAlways}, {"ff02::1", refusedAlways}, {"ff0e::1", refusedAlways},
	{"240.0.0.1", refusedAlways}, {"255.255.255.255", refusedAlways},
	{"192.0.0.1", refusedAlways}, {"192.0.0.192", refusedAlways}, {"192.0.2.1", refusedAlways}, {"198.51.100.1", refusedAlways}, {"203.0.113.1", refusedAlways},
	{"198.18.0.1", refusedAlways}, {"198.19.255.255", refusedAlways}, {"192.88.99.1", refusedAlways}, {"2001:db8::1", refusedAlways}, {"3fff::1", refusedAlways},
	// IPv4 inside IPv6: by NAT64, by its local prefix, by 6to4, by Teredo, and the long withdrawn compatible form.
	{"64:ff9b::a9fe:a9fe", refusedAlways}, {"64:ff9b::7f00:1", refusedAlways}, {"64:ff9b::a00:1", refusedAlways}, {"64:ff9b::6464:64c8", refusedAlways},
	{"64:ff9b::", refusedAlways}, {"64:ff9b::e000:1", refusedAlways}, {"64:ff9b::a83f:8110", refusedAlways}, {"64:ff9b:1::a9fe:a9fe", refusedAlways},
	{"2002:a9fe:a9fe::", refusedAlways}, {"2002:7f00:1::1", refusedAlways}, {"2002:5db8:d70e::1", refusedAlways},
	{"2001:0:a9fe:a9fe::1", refusedAlways}, {"::169.254.169.254", refusedAlways}, {"::127.0.0.1", refusedAlways}, {"::2", refusedAlways},
}

func TestGuardJudgesEveryKindOfAddress(t *testing.T) {
	for _, a := range addresses {
		ip := netip.MustParseAddr(a.ip)
		for _, private := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				want := a.verdict == httpsAlways && !plain || a.verdict == whenAllowed && private
				err := newGuard(private, plain).check(ip)
				if (err == nil) != want {
					t.Errorf("%s (private allowed: %v, plain http: %v): got %v", a.ip, private, plain, err)
				}
				if r, ok := errors.AsType[*refusal](err); err != nil && (!ok || r.why == "") {
					t.Errorf("%s: the error says nothing: %v", a.ip, err)
				}
				if !private && !plain {
					t.Logf("%-24s %v", a.ip, err)
				}
			}
		}
	}
}

func TestGuardRefusesWhatItCannotRead(t *testing.T) {
	g := newGuard(true, false)
	for _, c := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1"}, {"tcp4", "localhost:80"}, {"tcp4", ""}, {"tcp6", "[::1"}, {"udp4", "127.0.0.1:53"}, {"unix", "/run/docker.sock"}, {"tcp4", "0x7f000001:80"},
	} {
		if err := g.control(c.network, c.address, nil); err == nil {
			t.Errorf("%s %s was let through", c.network, c.address)
		}
	}
	if err := g.control("tcp4", "127.0.0.1:8443", nil); err != nil {
		t.Errorf("any port may be dialled: %v", err)
	}
}

func TestPostDialsNoForbiddenAddressWhateverTheListSays(t *testing.T) {
	for _, a := range addresses {
		if a.verdict != refusedAlways || netip.MustParseAddr(a.ip).Zone() != "" {
			continue
		}
		for _, scheme := range []string{"http", "https"} {
			url := scheme + "://" + netip.AddrPortFrom(netip.MustParseAddr(a.ip), 8443).String() + "/"
			attempt, _ := post(t, mustNew(t, lab("", url)), url)
			if attempt.Error != ClassRefusedAddress {
				t.Errorf("%s: got %+v", url, attempt)
			}
		}
	}
}

func TestPostDialsNoPrivateAddressUnlessAllowed(t *testing.T) {
	r := newReceiver(t, nil)
	o := lab(r.ca, r.URL)
	o.AllowPrivateNetworks = false
	a, _ := post(t, mustNew(t, o), r.URL)
	wantClass(t, a, ClassRefusedAddress)
	if r.connections() != 0 {
		t.Error("the receiver saw a connection")
	}
}
