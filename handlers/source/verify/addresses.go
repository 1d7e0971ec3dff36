package verify

import (
	"context"
	"net/netip"
	"strings"
	"time"
)

// networks are the addresses from which something may come. IPv4 is held as IPv4, however it was written.
type networks []netip.Prefix

// parseNetworks reads prefixes (192.0.2.0/24, 2001:db8::/32) and single addresses. An entry that holds everybody is a
// fault: it would look like a rule and be none.
func parseNetworks(field string, list []string, f *faults) networks {
	var out networks
	for i, text := range list {
		p, why := parseNetwork(text)
		if why != "" {
			f.add(at(field, i), "%s", why)
			continue
		}
		out = append(out, p)
	}
	return out
}

// parseNetwork gives the network, or what to write instead. The text is not quoted unless it is one: somebody may have put
// a secret there.
func parseNetwork(text string) (p netip.Prefix, why string) {
	if strings.Contains(text, "/") {
		var err error
		if p, err = netip.ParsePrefix(text); err != nil {
			return p, "this is no network; write one such as 192.0.2.0/24, 2001:db8::/32, or a single address"
		}
	} else {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return p, "this is no address; write one such as 192.0.2.7 or 2001:db8::7, without a name, port or zone, or a network such as 192.0.2.0/24"
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, "this reaches beyond the IPv4 addresses in IPv6; write the IPv4 network, such as 192.0.2.0/24"
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	switch {
	case p.Bits() == 0:
		return p, "this lets everybody in; write the networks of the sender, or, where the scheme does not demand any, leave allow_from out"
	case p != p.Masked():
		return p, "this is an address within a network; write " + p.Masked().String() + " for the network, or the address without its /" + text[strings.LastIndexByte(text, '/')+1:]
	}
	return p, ""
}

// hold tells whether an address is in one of the networks. The zero address is in none.
func (n networks) hold(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// guarded is a scheme whose deliveries must come from certain networks.
type guarded struct {
	Scheme
	from networks
}

// Verify implements Scheme. The address is looked at first: who is not let in learns nothing about his proof.
func (g *guarded) Verify(ctx context.Context, d *Delivery, now time.Time) (Proof, error) {
	if !g.from.hold(d.Client) {
		return Proof{}, refuse(ReasonForbiddenAddress, "the delivery comes from an address that allow_from does not hold; "+
			"compare it with the address in resetd's log, which is a proxy's as long as resetd does not know that proxy")
	}
	return g.Scheme.Verify(ctx, d, now)
}
