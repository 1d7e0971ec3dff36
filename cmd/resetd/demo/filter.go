package demo

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// matches evaluates a search filter (RFC 4511 §4.5.1.7) on an entry: and, or, not, equality and presence. Names and
// values are compared without case. Any other kind of filter matches nothing.
func matches(f *ber.Packet, attrs map[string][]string) bool {
	each := func(p *ber.Packet) bool { return matches(p, attrs) }
	switch f.Tag {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(f.Children, func(p *ber.Packet) bool { return !each(p) })
	case ldap.FilterOr:
		return slices.ContainsFunc(f.Children, each)
	case ldap.FilterNot:
		return len(f.Children) == 1 && !each(f.Children[0])
	case ldap.FilterPresent:
		return len(attrs[strings.ToLower(ber.DecodeString(f.Data.Bytes()))]) > 0
	case ldap.FilterEqualityMatch:
		if len(f.Children) != 2 {
			return false
		}
		name, okName := f.Children[0].Value.(string)
		value, okValue := f.Children[1].Value.(string)
		return okName && okValue && slices.ContainsFunc(attrs[strings.ToLower(name)], func(v string) bool { return strings.EqualFold(v, value) })
	}
	return false
}
