package ldap389

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// configDN is the entry with the server's settings, the password policy that holds by default among them.
const configDN = "cn=config"

// policyAttributes are the settings of a policy that matter here, and those by which it is seen which one holds.
var policyAttributes = []string{"passwordMustChange", "passwordTrackUpdateTime", "passwordMinLength", "passwordAdminDN", "nsslapd-pwpolicy-local"}

// policy is the password policy that holds for an account. A mark that the password must be changed is stored whatever the policy
// says, but the server obeys it only under passwordMustChange, so a reset is worth what the policy is worth.
type policy struct {
	state   policyState
	name    string // the DN of the account's own policy; empty for the server's
	why     string // for a person
	min     int    // passwordMinLength; zero is no bound
	admin   string // passwordAdminDN
	untimed bool   // it is known that the server notes no time when a password is set
}

type policyState int

const (
	policyUnknown policyState = iota // it cannot be found out what the policy says
	policyLax                        // must-change marks are ignored
	policyStrict                     // must-change marks are obeyed
)

// policyOf reads the policy of an account: its own, if the server cares for such, or else that in cn=config. It is read every
// time: an administrator may loosen it at any moment, and the proof rests on it.
func (d *directory) policyOf(ctx context.Context, s *session, own string) (policy, *schemas.Failure) {
	settings, f := d.readPolicy(ctx, s, configDN, "(objectClass=*)")
	if f != nil {
		return policy{}, f
	}
	p := policy{name: own}
	local := settings != nil && strings.EqualFold(settings.GetEqualFoldAttributeValue("nsslapd-pwpolicy-local"), "on")
	at, source := settings, configDN
	if settings != nil && !local {
		p.name = ""
	}
	if own != "" && local {
		// A policy is a sub-entry, which only a filter that asks for such finds.
		if at, f = d.readPolicy(ctx, s, own, "(objectClass=ldapsubentry)"); f != nil {
			return policy{}, f
		}
		source = own
	}
	if at == nil {
		p.why = "resetd's account may not read the password policy " + source + "; " +
			d.rule(source, strings.Join(append(policyAttributes, attrClass), " || "), rightsRead)
		return d.remembered(p), nil
	}
	on := func(attribute string) bool { return strings.EqualFold(at.GetEqualFoldAttributeValue(attribute), "on") }
	p.min, _ = strconv.Atoi(at.GetEqualFoldAttributeValue("passwordMinLength")) // what is not there is 0
	p.admin, p.untimed = at.GetEqualFoldAttributeValue("passwordAdminDN"), !on("passwordTrackUpdateTime")
	p.state, p.why = policyLax, "the password policy "+source+" has passwordMustChange off, so the server ignores the mark; turn it on there"
	if on("passwordMustChange") {
		p.state, p.why = policyStrict, "the password policy "+source+" has passwordMustChange on"
	}
	return p, nil
}

// readPolicy reads an entry with a policy in it; nil if it cannot be seen. The server answers a reader without rights with
// nothing, or with an entry without attributes.
func (d *directory) readPolicy(ctx context.Context, s *session, dn, filter string) (*ldap.Entry, *schemas.Failure) {
	entries, err := s.Search(ctx, dn, ldap.ScopeBaseObject, filter, 1, append([]string{attrClass}, policyAttributes...)...)
	code, _ := ldapconn.Answer(err)
	switch {
	case code == ldap.LDAPResultNoSuchObject || code == ldap.LDAPResultInsufficientAccessRights, err == nil && len(entries) == 0:
		return nil, nil
	case err != nil:
		return nil, s.Failure(ctx, "reading the password policy "+dn, err)
	}
	// cn=config always has a value. A policy of an account need not: what it does not set is off.
	if dn == configDN && entries[0].GetEqualFoldAttributeValue("passwordMustChange") == "" || len(entries[0].Attributes) == 0 {
		return nil, nil
	}
	return entries[0], nil
}

// learnedFor is how long the server's own word about a policy is believed.
const learnedFor = time.Hour

// learned is what servers showed about policies that cannot be read, by the policy's name; the empty name is the server's.
type learned struct {
	mu    sync.Mutex
	facts map[string]fact
}

type fact struct {
	state policyState
	until time.Time
}

// remembered fills in what the server showed earlier about a policy that cannot be read.
func (d *directory) remembered(p policy) policy {
	d.learned.mu.Lock()
	defer d.learned.mu.Unlock()
	if f := d.learned.facts[p.name]; time.Now().Before(f.until) {
		return p.shown(f.state)
	}
	return p
}

// learn notes what the server has just shown.
func (d *directory) learn(p policy, state policyState) policy {
	d.learned.mu.Lock()
	defer d.learned.mu.Unlock()
	if d.learned.facts == nil {
		d.learned.facts = map[string]fact{}
	}
	d.learned.facts[p.name] = fact{state, time.Now().Add(learnedFor)}
	return p.shown(state)
}

// shown gives the policy with what the server showed of it.
func (p policy) shown(state policyState) policy {
	p.state, p.why = state, "the server demanded the change when resetd set a password"
	if state == policyLax {
		p.why = "the server let resetd in with the password that it had set, without demanding a change; turn passwordMustChange on in the password policy"
	}
	return p
}

// prove settles what an unreadable policy does, while the new password is still known: it signs in with it once, and the
// server either demands a change or does not. The directory sees a log-in of the account from here, which is why this is
// done only when there is no other way.
func (d *directory) prove(ctx context.Context, at ldapconn.Server, a account, password schemas.Secret, p policy) policy {
	// A connection of its own, to the server that took the password: the copies may not have it yet.
	s, f := d.pool.Dialer.Protected(ctx, at)
	if f != nil {
		return p
	}
	defer s.Close()
	said, err := bind(ctx, s, a.dn, password)
	switch {
	case err != nil: // locked, or no answer: nothing is learned
		return p
	case said == changeAfterReset:
		return d.learn(p, policyStrict)
	}
	return d.learn(p, policyLax)
}
