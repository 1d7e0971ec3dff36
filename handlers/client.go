package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the addresses whose X-Forwarded-For is believed.
type proxies []netip.Prefix

// parseProxies reads addresses and networks. One that holds everybody is refused: anybody could choose his address then.
func parseProxies(list []string) (proxies, error) {
	var out proxies
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if a, e := netip.ParseAddr(text); e == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil || p.Bits() == 0 || p != p.Masked() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("handlers: TrustedProxies takes addresses, and networks such as 10.0.0.0/8 that do not hold everybody; %.60q is neither", text)
		}
		out = append(out, p)
	}
	return out, nil
}

func (p proxies) hold(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(one netip.Prefix) bool { return one.Contains(a) })
}

// client tells who sent a request that came from peer: the last address that a proxy of ours vouches for and that is none of
// our proxies. X-Forwarded-For is read as one list, however many lines it comes in (RFC 9110 §5.3): a proxy that adds a line
// of its own leaves what the client wrote in the one before. The zero address stands for what a proxy wrote that is no
// address: it is nobody, and above all not the proxy. No other header counts.
func (p proxies) client(peer netip.Addr, h http.Header) netip.Addr {
	lines := h["X-Forwarded-For"]
	at := peer
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			if !p.hold(at) {
				return at
			}
			var last string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, last = rest[:comma], rest[comma+1:]
			} else {
				last, more = rest, false
			}
			if last = strings.Trim(last, " \t"); last != "" { // RFC 9110 §5.6.1.2
				at = forwarded(last)
			}
		}
	}
	return at
}

// forwarded reads one address as proxies write it: some with a port, some with brackets around IPv6.
func forwarded(text string) netip.Addr {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone("")
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	return address(text)
}

// address reads an address; the zero address is none.
func address(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// peer gives the address that the connection comes from.
func (c *call) peer() netip.Addr { return address(c.RemoteIP()) }

// client tells who sent a request, by the word of trusted proxies.
func (f *Face) client(c *call) netip.Addr { return f.proxies.client(c.peer(), c.Request.Header) }

// seen is the client for the log, or the peer where a proxy does not say who the client is.
func (f *Face) seen(c *call) string {
	if a := f.client(c); a.IsValid() {
		return a.String()
	}
	return c.RemoteIP()
}
