package openldap

import (
	"context"
	"errors"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// policy is the password policy that holds for an account. pwdReset is stored whatever the policy says, but a server obeys
// it only under pwdMustChange TRUE, so a reset is worth what the policy is worth.
type policy struct {
	state policyState
	name  string // its DN; empty for a default that is not known
	why   string // for a person
	min   int    // pwdMinLength; zero is no bound
	max   int    // pwdMaxLength

	overlay overlay
}

type policyState int

const (
	policyUnknown policyState = iota // it cannot be found out which policy holds, or what it says
	policyMissing                    // the overlay is not loaded: pwdReset does not even exist
	policyIdle                       // the overlay is loaded, but acts on another database
	policyLax                        // must-change flags are ignored
	policyStrict                     // must-change flags are obeyed
)

// void tells that the server will not demand a change under this policy.
func (p policy) void() bool {
	return p.state == policyMissing || p.state == policyIdle || p.state == policyLax
}

// policyOf reads the policy of an account: its own (pwdPolicySubentry), or else the configured default. The server's
// ppolicy_default itself stands in cn=config, which resetd has no business in.
func (d *directory) policyOf(ctx context.Context, s *session, own string) (policy, *schemas.Failure) {
	if !s.Root.ppolicy {
		return policy{state: policyMissing, why: s.Server.URL + " has no password policy overlay (ppolicy)"}, nil
	}
	p := policy{name: own}
	if p.name == "" {
		p.name = d.config.DefaultPolicy
	}
	// Searching for policies and taking the only one would be a guess: the server may use none.
	if p.name == "" {
		p.why = "the account has no policy of its own, and default_policy of the system " + d.env.System + " does not say which one is the server's"
		return d.remembered(p), nil
	}
	// It is read every time: an administrator may loosen it at any moment, and the proof rests on it.
	entries, err := s.Search(ctx, p.name, ldap.ScopeBaseObject, "(objectClass=*)", 1, "pwdMustChange", "pwdMinLength", "pwdMaxLength")
	if code, _ := ldapconn.Answer(err); code == ldap.LDAPResultNoSuchObject || code == ldap.LDAPResultInsufficientAccessRights || err == nil && len(entries) == 0 {
		p.why = "the policy " + p.name + " does not exist or cannot be read; " + grantFirst + "to dn.base=" +
			strconv.Quote(p.name) + " by dn.exact=" + strconv.Quote(d.config.BindDN) + " read by * break"
		return d.remembered(p), nil
	}
	if err != nil {
		return policy{}, s.Failure(ctx, "reading the policy "+p.name, err)
	}
	p.min, p.max = number(entries[0], "pwdMinLength"), number(entries[0], "pwdMaxLength")
	p.state, p.why = policyLax, "the policy "+p.name+" has no pwdMustChange TRUE, so the server ignores pwdReset; set it there"
	if entries[0].GetEqualFoldAttributeValue("pwdMustChange") == "TRUE" {
		p.state, p.why = policyStrict, "the policy "+p.name+" has pwdMustChange TRUE"
	}
	return p, nil
}

// remembered fills in what the server showed earlier about a policy that cannot be read.
func (d *directory) remembered(p policy) policy {
	if state := d.learned.recall(p.name); state != policyUnknown {
		p.state = state
		return p.explained()
	}
	return p
}

// number reads a number that is not there as zero.
func number(e *ldap.Entry, attribute string) int {
	n, err := strconv.Atoi(e.GetEqualFoldAttributeValue(attribute))
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return max(n, 0)
}
