package openldap

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// Object identifiers that the root entry may list under supportedControl.
const (
	oidPasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy: the ppolicy overlay is loaded
	oidAssertion      = "1.3.6.1.1.12"              // RFC 4528: do it only if the entry matches a filter
)

// root is what the server says of itself (RFC 4512 §5.1).
type root struct {
	product string
	ppolicy bool
	asserts bool
}

// greet reads the server's root entry.
func greet(ctx context.Context, s *session) (root, *schemas.Failure) {
	entries, err := s.Search(ctx, "", ldap.ScopeBaseObject, "(objectClass=*)", 1, "objectClass", "supportedControl", "vendorName", "vendorVersion")
	if err != nil {
		return root{}, s.Failure(ctx, "reading the root entry", err)
	}
	if len(entries) == 0 {
		return root{}, schemas.Fail(schemas.CodePermissionMissing,
			"%s does not show its root entry; grant: olcAccess: to dn.base=\"\" by * read (on the frontend database)", s.Server.URL)
	}
	e := entries[0]
	r := root{product: strings.TrimSpace(e.GetAttributeValue("vendorName") + " " + e.GetAttributeValue("vendorVersion"))}
	if r.product == "" && slices.Contains(e.GetAttributeValues("objectClass"), "OpenLDAProotDSE") {
		r.product = "OpenLDAP"
	}
	controls := e.GetAttributeValues("supportedControl")
	r.ppolicy, r.asserts = slices.Contains(controls, oidPasswordPolicy), slices.Contains(controls, oidAssertion)
	return r, nil
}

// modify changes one entry. With the assertion control the server does it only if the entry matches the filter when the
// turn comes to it. The secret, if the changes hold one, is kept out of the error.
func modify(ctx context.Context, s *session, dn, assertion, secret string, changes ...ldap.Change) error {
	var controls []ldap.Control
	if s.Root.asserts {
		filter, err := ldap.CompileFilter(assertion)
		if err != nil {
			return err
		}
		controls = []ldap.Control{ldap.NewControlString(oidAssertion, true, string(filter.Bytes()))}
	}
	return s.Modify(ctx, dn, changes, controls, schemas.NewSecret(secret))
}
