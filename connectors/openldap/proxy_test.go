package openldap_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
)

// newProxy makes a proxy between the connector and slapd on an unencrypted connection.
func newProxy(t *testing.T, url string) *ldaptest.Proxy {
	t.Helper()
	p := ldaptest.NewProxy(t, ldaptest.Target{Secret: "userPassword",
		Dial: func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(url, "ldap://")) }})
	p.Ignore = asks
	return p
}

// asks tells whether a modify request only asks for the policy overlay: it adds two passwords at once.
func asks(request *ber.Packet) bool {
	return slices.ContainsFunc(request.Children[1].Children, func(change *ber.Packet) bool {
		kind, _ := change.Children[0].Value.(int64)
		return kind == ldap.AddAttribute && len(change.Children[1].Children[1].Children) == 2
	})
}
