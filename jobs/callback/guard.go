package callback

import (
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// refusal is the error of an address that is not dialled.
type refusal struct {
	ip  netip.Addr
	why string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the address %s is not dialled: %s", r.ip, r.why)
}

// guard judges the address of a connection right before it is made, after DNS (net.Dialer.Control). The lists of special
// addresses are those of the IANA registries, as code.dny.dev/ssrf keeps them; this type adds what a server in a cloud or
// behind NAT64 needs on top.
type guard struct {
	list    *ssrf.Guardian // the registries, less the private networks where they are allowed
	public  *ssrf.Guardian // the registries, whole
	private bool           // private networks are allowed
	plain   bool           // the connection carries plain http
}

// never lists what no configuration opens, although the registries or the allowed private networks would let it through,
// and what deserves a better word than "special".
var never = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "it is unspecified and means this machine"},
	{netip.MustParsePrefix("::/128"), "it is unspecified and means this machine"},
	{netip.MustParsePrefix("169.254.0.0/16"), "it is link-local, where clouds keep their metadata services"},
	{netip.MustParsePrefix("fe80::/10"), "it is link-local"},
	{netip.MustParsePrefix("100.100.100.200/32"), "it is the metadata service of Alibaba Cloud"},
	{netip.MustParsePrefix("168.63.129.16/32"), "it is the platform service of Azure"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "it is a platform service of AWS"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "it is the metadata service of Google Cloud"},
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "it is the metadata service of Oracle Cloud"},
	{netip.MustParsePrefix("224.0.0.0/4"), "it is a multicast address"},
	{netip.MustParsePrefix("ff00::/8"), "it is a multicast address"},
	{netip.MustParsePrefix("2002::/16"), "it is a 6to4 address, which leads to any IPv4 address (withdrawn by RFC 7526)"},
	{netip.MustParsePrefix("2001::/32"), "it is a Teredo address, which leads to any IPv4 address (RFC 4380)"},
}

// The networks that AllowPrivateNetworks opens.
var (
	privateV4 = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), // RFC 1918
		netip.MustParsePrefix("127.0.0.0/8"),   // loopback
		netip.MustParsePrefix("100.64.0.0/10"), // shared by carriers and overlay networks, RFC 6598
	}
	privateV6 = []netip.Prefix{netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("::1/128")}
)

func newGuard(private, plain bool) *guard {
	g := &guard{public: ssrf.New(ssrf.WithAnyPort()), private: private, plain: plain}
	g.list = g.public
	if private {
		g.list = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(privateV4...), ssrf.WithAllowedV6Prefixes(privateV6...))
	}
	return g
}

// control is the net.Dialer's hook. What it cannot read it refuses.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return &refusal{why: "it is not an IP address reached by TCP"}
	}
	return g.check(to.Addr())
}

// check answers nil, or a refusal. An IPv4 address inside an IPv6 one is judged as what it leads to: mapped ones like the
// address itself, those behind NAT64 as public or not at all, since RFC 6052 §3.1 keeps others out of that prefix.
func (g *guard) check(ip netip.Addr) error {
	ip = ip.WithZone("").Unmap()
	if ssrf.IPv6NAT64Prefix.Contains(ip) {
		b := ip.As16()
		v4 := netip.AddrFrom4([4]byte(b[12:]))
		if g.plain || forbidden(v4) != "" || g.public.SafeAddr(v4) != nil {
			return &refusal{ip, fmt.Sprintf("it leads to %s through NAT64, where public addresses are reached by https only", v4)}
		}
		return nil
	}
	if why := forbidden(ip); why != "" {
		return &refusal{ip, why}
	}
	if g.list.SafeAddr(ip) != nil {
		if isPrivate(ip) {
			return &refusal{ip, "it is loopback or private; set callbacks.allow_private_networks: true if the receiver really is there"}
		}
		return &refusal{ip, "it is reserved for a special purpose (IANA registry); no receiver can be there"}
	}
	if g.plain && !isPrivate(ip) {
		return &refusal{ip, "it is public, and plain http goes to private networks only; use https"}
	}
	return nil
}

func forbidden(ip netip.Addr) string {
	for _, n := range never {
		if n.prefix.Contains(ip) {
			return n.why
		}
	}
	return ""
}

func isPrivate(ip netip.Addr) bool {
	for _, list := range [][]netip.Prefix{privateV4, privateV6} {
		for _, p := range list {
			if p.Contains(ip) {
				return true
			}
		}
	}
	return false
}
