package activedirectory

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// session is one connection that is signed in.
type session = ldapconn.Session[root]

// root is what a domain controller says of itself and of us ([MS-ADTS] 3.1.1.3.2).
type root struct {
	product string
	domain  string // the domain's own part of the directory, as a distinguished name
	config  string // the configuration's
	clock   time.Time
	token   []sid // everything that resetd's account is, for access checks
}

// oidActiveDirectory is listed under supportedCapabilities by every domain controller ([MS-ADTS] 3.1.1.3.4.3).
const oidActiveDirectory = "1.2.840.113556.1.4.800"

// oidReadOnly is listed beside it by a read-only domain controller ([MS-ADTS] 3.1.1.3.4.3.7).
const oidReadOnly = "1.2.840.113556.1.4.1920"

// levels are the names of functional levels ([MS-ADTS] 6.1.4.2).
var levels = map[string]string{"2": "2003", "3": "2008", "4": "2008 R2", "5": "2012", "6": "2012 R2", "7": "2016", "10": "2025"}

// signIn binds as resetd.
func (d *directory) signIn(ctx context.Context, s *session) *schemas.Failure {
	err := s.Within(ctx, func(c *ldap.Conn) error {
		return ldapconn.Hushed(c.Bind(d.config.BindUser, d.config.Password.Reveal()), d.config.Password)
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		return schemas.Fail(schemas.CodeBadCredentials, "%s refuses resetd's own account %s of the system %s: %s",
			s.Server.URL, d.config.BindUser, d.env.System, refusal(err)).Because(err)
	}
	if err != nil {
		return s.Failure(ctx, "signing in", err)
	}
	return nil
}

// greet reads the server's root entry.
func greet(ctx context.Context, s *session) (root, *schemas.Failure) {
	entries, err := s.Search(ctx, "", ldap.ScopeBaseObject, "(objectClass=*)", 1, "supportedCapabilities", "defaultNamingContext",
		"configurationNamingContext", "currentTime", "vendorName", "domainControllerFunctionality", "tokenGroups", "isSynchronized")
	switch {
	case err != nil:
		return root{}, s.Failure(ctx, "reading the root entry", err)
	case len(entries) == 0 || !slices.Contains(entries[0].GetEqualFoldAttributeValues("supportedCapabilities"), oidActiveDirectory):
		return root{}, schemas.Fail(schemas.CodeUnexpected, "%s is no domain controller of Active Directory; correct url, or choose another kind for the system", s.Server.URL)
	}
	e := entries[0]
	if why := unfit(e); why != "" {
		return root{}, schemas.Fail(schemas.CodeUnavailable, "%s %s", s.Server.URL, why)
	}
	r := root{product: product(e), domain: e.GetEqualFoldAttributeValue("defaultNamingContext"),
		config: e.GetEqualFoldAttributeValue("configurationNamingContext"), clock: generalizedTime(e.GetEqualFoldAttributeValue("currentTime"))}
	for _, raw := range e.GetEqualFoldRawAttributeValues("tokenGroups") {
		r.token = append(r.token, sid(raw))
	}
	return r, nil
}

// unfit says why a domain controller is left for the next one, and nothing if it is fit. Either kind would show less of
// passwords, or older, than the others do, and a proof may need both readings.
func unfit(e *ldap.Entry) string {
	switch {
	case slices.Contains(e.GetEqualFoldAttributeValues("supportedCapabilities"), oidReadOnly):
		return "is a read-only domain controller, which takes no change; name writable ones in url"
	case e.GetEqualFoldAttributeValue("isSynchronized") == "FALSE":
		return "has not caught up with the other domain controllers since it was set up or restored (isSynchronized); it is left alone until it has"
	}
	return ""
}

// samba begins the vendor's name, as Samba gives it, and the product's, as it is shown here.
const samba = "Samba"

// product names what answers. Windows names neither itself nor its vendor.
func product(e *ldap.Entry) string {
	level := levels[e.GetEqualFoldAttributeValue("domainControllerFunctionality")]
	name := "Active Directory"
	if strings.HasPrefix(e.GetEqualFoldAttributeValue("vendorName"), samba) {
		name = samba + " Active Directory"
	}
	if level != "" {
		name += " (functional level " + level + ")"
	}
	return name
}

// facts are what does not change while resetd runs: the domain's names, and resetd's own account. They are read when first
// needed.
type facts struct {
	mu    sync.Mutex
	known bool

	samba        bool
	netbios, dns string
	self         self
}

// self is resetd's own account.
type self struct {
	guid, dn, name string
	sid            sid
	token          []sid // everything that the session is, the account itself among it
}

// learn gives the facts.
func (d *directory) learn(ctx context.Context, s *session) (netbios, dns string, me self, f *schemas.Failure) {
	// Not locked while a server is asked, which can take long: then two may ask, and learn the same.
	d.facts.mu.Lock()
	known, netbios, dns, me := d.facts.known, d.facts.netbios, d.facts.dns, d.facts.self
	d.facts.mu.Unlock()
	me.token = s.Root.token
	if known {
		return netbios, dns, me, nil
	}
	// The names of a domain stand in its cross-reference ([MS-ADTS] 6.1.1.2.1.1).
	entries, err := s.Search(ctx, "CN=Partitions,"+s.Root.config, ldap.ScopeSingleLevel,
		"(&(objectClass=crossRef)(nCName="+ldap.EscapeFilter(s.Root.domain)+"))", 2, "nETBIOSName", "dnsRoot")
	if err != nil {
		return "", "", self{}, s.Failure(ctx, "reading the names of the domain "+s.Root.domain, err)
	}
	if len(entries) == 1 {
		netbios, dns = entries[0].GetEqualFoldAttributeValue("nETBIOSName"), entries[0].GetEqualFoldAttributeValue("dnsRoot")
	}
	if dns == "" {
		dns = dnsName(s.Root.domain)
	}
	if me, f = d.whoAmI(ctx, s, dns); f != nil {
		return "", "", self{}, f
	}
	d.facts.mu.Lock()
	d.facts.netbios, d.facts.dns, d.facts.self, d.facts.known = netbios, dns, me, true
	d.facts.samba = strings.HasPrefix(s.Root.product, samba)
	d.facts.mu.Unlock()
	me.token = s.Root.token
	return netbios, dns, me, nil
}

// whoAmI looks resetd's own account up by the name that it signs in with. An account of another domain is not found, and need
// not be: it cannot be the one to reset.
func (d *directory) whoAmI(ctx context.Context, s *session, dns string) (self, *schemas.Failure) {
	base, scope, filter := s.Root.domain, ldap.ScopeWholeSubtree, ""
	_, plain, downLevel := strings.Cut(d.config.BindUser, `\`)
	switch {
	case downLevel && !strings.Contains(plain, "="):
		filter = "(sAMAccountName=" + ldap.EscapeFilter(plain) + ")"
	case strings.Contains(d.config.BindUser, "="):
		base, scope, filter = d.config.BindUser, ldap.ScopeBaseObject, "(objectClass=*)"
	default:
		filter, _ = loginFilter(d.config.BindUser, dns)
	}
	entries, err := s.Search(ctx, base, scope, filter, 2, "objectGUID", "objectSid", "sAMAccountName")
	if code, _ := ldapconn.Answer(err); err != nil && code != ldap.LDAPResultNoSuchObject && code != ldap.LDAPResultReferral {
		return self{}, s.Failure(ctx, "looking for resetd's own account "+d.config.BindUser, err)
	}
	if len(entries) != 1 {
		return self{}, nil
	}
	e := entries[0]
	return self{dn: e.DN, guid: guidText(e.GetEqualFoldRawAttributeValue("objectGUID")), name: e.GetEqualFoldAttributeValue("sAMAccountName"),
		sid: sid(e.GetEqualFoldRawAttributeValue("objectSid"))}, nil
}

// dnsName makes corp.example.com of DC=corp,DC=example,DC=com.
func dnsName(domain string) string {
	dn, err := ldap.ParseDN(domain)
	if err != nil {
		return ""
	}
	var labels []string
	for _, rdn := range dn.RDNs {
		labels = append(labels, rdn.Attributes[0].Value)
	}
	return strings.Join(labels, ".")
}
