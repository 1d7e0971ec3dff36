package ldap389

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// oidEffectiveRights is the control Get Effective Rights (draft-ietf-ldapext-acl-model): the server adds to each entry what
// somebody may do with its attributes. Everybody may ask that of himself.
const oidEffectiveRights = "1.3.6.1.4.1.42.2.27.9.5.2"

// samples is how many accounts the rights are looked at on when probe_dn names none.
const samples = 5

// Probe asks the server what it is, and what resetd's account may do. Nothing is tried, nothing changed.
func (d *directory) Probe(ctx context.Context) (got schemas.Capabilities, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		got = schemas.Capabilities{Product: s.Root.product, Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, TLS: s.TLS()}
		now, told, f := serverTime(ctx, s)
		if f == nil && told {
			got.Clock = now
		}
		if f == nil {
			f = d.probePolicy(ctx, s, &got)
		}
		if f == nil {
			f = d.probeRights(ctx, s, &got)
		}
		if f != nil {
			return f
		}
		return nil
	})
	if err != nil {
		return schemas.Capabilities{}, err
	}
	return got, nil
}

// probePolicy looks at the policy that holds for accounts without one of their own.
func (d *directory) probePolicy(ctx context.Context, s *session, got *schemas.Capabilities) *schemas.Failure {
	p, f := d.policyOf(ctx, s, "")
	switch {
	case f != nil:
		return f
	case p.state == policyLax:
		got.Unenforced = append(got.Unenforced, p.why+"; until then every reset under it would end as unenforced")
	case p.state == policyUnknown:
		got.Warn = append(got.Warn, p.why+"; until then resetd learns what the server does from its resets, and in the mode expire it cannot tell")
	}
	if p.untimed {
		got.Warn = append(got.Warn, "the server does not note when a password was set: after an answer that was lost, resetd may not see that it has set one; "+
			"turn passwordTrackUpdateTime on in "+configDN)
	}
	if p.state != policyUnknown && p.admin == "" {
		got.Warn = append(got.Warn, fmt.Sprintf("%s is no password administrator, so randomize takes two changes, and between them the new password, which nobody knows, "+
			"need not be changed; set passwordAdminDN of the password policy to %s (if it is set, let resetd read it)", d.config.BindDN, d.config.BindDN))
	}
	return nil
}

// probeRights looks at probe_dn, or at the first accounts there are until one shows all rights: some may be out of reach on
// purpose, so one is enough.
func (d *directory) probeRights(ctx context.Context, s *session, got *schemas.Capabilities) *schemas.Failure {
	if !s.Root.rights {
		got.Warn = append(got.Warn, "the server does not tell rights (control "+oidEffectiveRights+"), so what resetd's account lacks shows at the first reset only")
		return nil
	}
	base, scope := d.config.BaseDN, ldap.ScopeWholeSubtree
	if d.config.ProbeDN != "" {
		base, scope = d.config.ProbeDN, ldap.ScopeBaseObject
	}
	entries, err := s.Search(ctx, base, scope, d.config.UserFilter, samples, attrID)
	code, _ := ldapconn.Answer(err)
	if err != nil && code != ldap.LDAPResultSizeLimitExceeded && code != ldap.LDAPResultNoSuchObject {
		return s.Failure(ctx, "looking for an account to read the rights of", err)
	}
	if len(entries) == 0 {
		got.Missing = append(got.Missing, fmt.Sprintf("no account can be seen at %s; check base_dn, user_filter and probe_dn, or %s", base, d.grant(d.readable(), rightsRead)))
		return nil
	}
	var first []string
	for _, e := range entries {
		rights, f := d.rightsOn(ctx, s, e.DN)
		if f != nil {
			return f
		}
		missing := d.missing(e.DN, rights)
		if len(missing) == 0 {
			d.probeExcess(e.DN, rights, got)
			return nil
		}
		if first == nil {
			first = missing
		}
	}
	got.Missing = append(got.Missing, first...)
	return nil
}

// attrIndifferent is an attribute that a reset has nothing to do with.
const attrIndifferent = "description"

// rightsOn asks what resetd's account may do with one entry: for each attribute, in lower case, the letters of its rights.
func (d *directory) rightsOn(ctx context.Context, s *session, dn string) (map[string]string, *schemas.Failure) {
	entries, err := s.Find(ctx, ldap.SearchRequest{BaseDN: dn, Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", SizeLimit: 1,
		Attributes: append(d.attributes(), attrSecret, attrIndifferent),
		Controls:   []ldap.Control{ldap.NewControlString(oidEffectiveRights, true, "dn:"+d.config.BindDN)}})
	if err != nil {
		return nil, s.Failure(ctx, "reading the rights on "+dn, err)
	}
	out := map[string]string{}
	for _, e := range entries {
		for _, one := range strings.Split(e.GetEqualFoldAttributeValue("attributeLevelRights"), ",") {
			name, letters, _ := strings.Cut(strings.TrimSpace(one), ":")
			if letters == "none" {
				letters = ""
			}
			out[strings.ToLower(name)] = letters
		}
	}
	return out, nil
}

// missing gives what a reset of the account would lack. The letters: r is read, s search, w add values, o remove values.
func (d *directory) missing(dn string, rights map[string]string) (missing []string) {
	lacks := func(attribute, letters string) bool {
		for _, l := range letters {
			if !strings.ContainsRune(rights[strings.ToLower(attribute)], l) {
				return true
			}
		}
		return false
	}
	var hidden []string
	for _, attribute := range d.attributes() {
		if lacks(attribute, "r") {
			hidden = append(hidden, attribute)
		}
	}
	if len(hidden) > 0 {
		missing = append(missing, fmt.Sprintf("resetd's account may not read %s of %s; %s", strings.Join(hidden, ", "), dn, d.grantAt(dn, d.readable(), rightsRead)))
	}
	if lacks(attrSecret, "wo") || lacks(attrExpires, "wo") {
		missing = append(missing, fmt.Sprintf("resetd's account may not write %s and %s of %s; %s", attrSecret, attrExpires, dn, d.grantReset(dn)))
	}
	return missing
}

// probeExcess warns when our account may do what a reset does not need. The Directory Manager shows so too: nothing binds him.
func (d *directory) probeExcess(dn string, rights map[string]string, got *schemas.Capabilities) {
	if strings.ContainsAny(rights[attrIndifferent], "wo") {
		got.Warn = append(got.Warn, fmt.Sprintf("%s may write more of %s than %s and %s: it holds too much, or is the Directory Manager, "+
			"whom no rule binds; use an account of its own", d.config.BindDN, dn, attrSecret, attrExpires))
	}
	if strings.Contains(rights[strings.ToLower(attrSecret)], "r") {
		got.Warn = append(got.Warn, fmt.Sprintf("%s may read password hashes, which a reset does not need; take read on %s away", d.config.BindDN, attrSecret))
	}
}
