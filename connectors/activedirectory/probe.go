package activedirectory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// How many accounts the rights are looked for on when probe_dn names none. A page stays far below the bound of an answer, also
// where every account lists hundreds of attributes that may be written.
const (
	samplePage  = 5
	samplePages = 40
)

// ordinary finds accounts that a reset could be meant for: no computers, and none of those that AdminSDHolder keeps out of reach.
const ordinary = "(&(objectCategory=person)" + isAccount + "(!(adminCount=1))(!(servicePrincipalName=*))(!(isCriticalSystemObject=TRUE)))"

// Probe asks the domain controller what it is, and reads the rights: those to write attributes as the domain controller itself
// works them out for us, that to reset passwords from the accounts' access control lists. Nothing is tried, nothing changed.
func (d *directory) Probe(ctx context.Context) (got schemas.Capabilities, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		now, f := greet(ctx, s) // anew, for the clock
		if f != nil {
			return f
		}
		_, _, me, f := d.learn(ctx, s)
		if f != nil {
			return f
		}
		got = schemas.Capabilities{Product: now.product, Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, TLS: s.TLS(), Clock: now.clock}
		if groups := d.ruling(now.token); len(groups) > 0 {
			got.Warn = append(got.Warn, fmt.Sprintf("%s holds far more rights than a reset takes (%s); use an account of its own with Reset Password and Write pwdLastSet and nothing else",
				d.config.BindUser, strings.Join(groups, ", ")))
		}
		if me.guid == "" && len(me.token) == 0 {
			got.Warn = append(got.Warn, fmt.Sprintf("resetd's own account %s is not found in the domain, so resetd cannot keep from resetting it; add it to the protected accounts", d.config.BindUser))
		}
		if f := d.probeRights(ctx, s, token(now, me), &got); f != nil {
			return f
		}
		return nil
	})
	if err != nil {
		return schemas.Capabilities{}, err
	}
	return got, nil
}

// token gives everything that resetd's account is. A domain controller tells it to whoever asks ([MS-ADTS] 3.1.1.3.2.20); what every
// account is that has signed in is added, for those that leave it out.
func token(now root, me self) []sid {
	return append(slices.Clone(now.token), me.sid, sidEveryone, sidSignedIn)
}

// probeRights looks at probe_dn, or at the first accounts that resetd would reset until one shows all rights: some may be out of
// reach on purpose, so one is enough.
func (d *directory) probeRights(ctx context.Context, s *session, token []sid, got *schemas.Capabilities) *schemas.Failure {
	request := accountSearch(d.config.BaseDN, ordinary, ldap.ScopeWholeSubtree, 0, attrWritable)
	if d.config.ProbeDN != "" {
		request = accountSearch(d.config.ProbeDN, isAccount, ldap.ScopeBaseObject, 1, attrWritable)
	}
	paging := ldap.NewControlPaging(samplePage)
	request.Controls = append(request.Controls, paging)
	var first []string
	var spare *account // one that resetd would refuse, for when there are no others
	_, _, me, f := d.learn(ctx, s)
	if f != nil {
		return f
	}
	for range samplePages {
		page, cookie, err := searchPage(ctx, s, request)
		if code, _ := ldapconn.Answer(err); err != nil && code != ldap.LDAPResultNoSuchObject {
			return s.Failure(ctx, "looking for an account to read the rights of", err)
		}
		for _, e := range page {
			a := accountOf(e)
			if d.config.ProbeDN == "" && a.readable && (a.void() != "" || d.refuse(a, me, schemas.ModeRandomize) != nil) {
				if spare == nil {
					spare = &a
				}
				continue
			}
			missing := d.missing(a, token, got)
			if len(missing) == 0 {
				return d.probeGroups(ctx, s, a, got)
			}
			if first == nil {
				first = missing
			}
		}
		if len(cookie) == 0 {
			break
		}
		paging.SetCookie(cookie)
	}
	if first == nil && spare != nil {
		if first = d.missing(*spare, token, got); len(first) == 0 {
			return d.probeGroups(ctx, s, *spare, got)
		}
	}
	if first == nil {
		first = []string{"no account can be seen at " + request.BaseDN + "; check base_dn and probe_dn, or grant resetd's account Read there"}
	} else if d.config.ProbeDN == "" {
		first[0] += "; if resetd is meant to act in another part of " + d.config.BaseDN + " only, name an account there as probe_dn, or narrow base_dn down"
	}
	got.Missing = append(got.Missing, first...)
	return nil
}

// probeGroups finds out whether the groups of an account can be read: without them every account counts as privileged.
func (d *directory) probeGroups(ctx context.Context, s *session, a account, got *schemas.Capabilities) *schemas.Failure {
	a, f := d.read(ctx, s, a.guid, attrToken)
	if f == nil && len(a.token) == 0 {
		got.Missing = append(got.Missing, "resetd's account may not read the groups of "+a.dn+" (tokenGroups); "+grantGroups)
	}
	return f
}

// searchPage makes one step of a paged search (RFC 2696). The rest of the pages is never fetched if nobody asks.
func searchPage(ctx context.Context, s *session, r ldap.SearchRequest) (entries []*ldap.Entry, cookie []byte, err error) {
	err = s.Within(ctx, func(c *ldap.Conn) error {
		got, err := c.Search(&r)
		if got != nil {
			entries = got.Entries
			if p, ok := ldap.FindControl(got.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging); ok {
				cookie = p.Cookie
			}
		}
		return err
	})
	return entries, cookie, err
}

// hidden warns of what can be done without, at a price.
const hidden = "the stamps of replication (replPropertyMetaData, msDS-ReplAttributeMetaData) are hidden from resetd's account: after a lost answer it cannot tell " +
	"whether the password was set, and sets another one; grant it Read on the accounts"

// missing gives what a reset of the account would lack.
func (d *directory) missing(a account, token []sid, got *schemas.Capabilities) (missing []string) {
	if !a.readable {
		missing = append(missing, "resetd's account may not read userAccountControl and pwdLastSet of "+a.dn+"; grant: "+d.grantRead(a.dn))
	}
	reset, write := a.accessShown && mayUse(a.access, token, rightResetPassword), slices.ContainsFunc(a.writable, func(name string) bool { return strings.EqualFold(name, attrLastSet) })
	if a.accessShown && !reset || !write {
		missing = append(missing, "resetd's account lacks "+lacking(a.accessShown && !reset, !write)+" on "+a.dn+"; "+d.grantReset(a.dn))
	}
	if len(missing) > 0 {
		return missing
	}
	if !a.accessShown {
		got.Warn = append(got.Warn, "the access control list of "+a.dn+" is hidden from resetd's account, so whether it holds Reset Password is not known before the first reset; grant it Read permissions there")
	}
	if strings.HasPrefix(a.evidence.Marker, markHidden) {
		got.Warn = append(got.Warn, hidden)
	}
	// What a Domain Admin may write besides shows in his token; this finds the others.
	if slices.ContainsFunc(a.writable, func(name string) bool { return strings.EqualFold(name, attrControl) }) && len(d.ruling(token)) == 0 {
		got.Warn = append(got.Warn, d.config.BindUser+" may write userAccountControl of "+a.dn+", which a reset does not need: it could enable accounts; take that right away")
	}
	return nil
}

func lacking(reset, write bool) string {
	switch {
	case reset && write:
		return "Reset Password and Write pwdLastSet"
	case reset:
		return "Reset Password"
	}
	return "Write pwdLastSet"
}
