package openldap

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// samples is how many accounts the rights are tried on when probe_dn names none.
const samples = 5

// Probe asks the server what it is, and tries the rights without using them: it asks to delete values that are not there.
// The server refuses for want of the right (50) before it looks for them, and for want of the value (16) if the right is
// there; nothing is ever changed.
func (d *directory) Probe(ctx context.Context) (got schemas.Capabilities, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		got = schemas.Capabilities{Product: s.Root.product, Modes: []schemas.Mode{schemas.ModeRandomize}, TLS: s.TLS()}
		if s.Root.ppolicy {
			got.Modes = append(got.Modes, schemas.ModeExpire)
		} else {
			got.Unenforced = append(got.Unenforced, "the password policy overlay (ppolicy) is not loaded on "+s.Server.URL+": nobody would have to change the password, "+
				"so every reset would end as unenforced; load it on the accounts' database with a policy that has pwdMustChange TRUE, "+
				"and check again: the right on pwdReset can be tried only then")
		}
		if !s.Server.Encrypted() {
			got.Warn = append(got.Warn, "the connection to "+s.Server.URL+" is not encrypted (allow_plaintext): passwords can be read on the way")
		}
		if f := d.probePolicy(ctx, s, &got); f != nil {
			return f
		}
		if f := d.probeRights(ctx, s, &got); f != nil {
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
	if !s.Root.ppolicy {
		return nil
	}
	p, f := d.policyOf(ctx, s, "")
	switch {
	case f != nil:
		return f
	case d.config.DefaultPolicy == "" && p.state == policyLax: // learned from the last reset, which may be out of date
		got.Warn = append(got.Warn, p.why)
	case d.config.DefaultPolicy == "":
		got.Warn = append(got.Warn, "default_policy is not set: to learn whether the server demands the change, resetd signs in once with the password "+
			"it has set, and in the mode expire it cannot tell; set default_policy to the server's olcPPolicyDefault")
	case p.state == policyUnknown:
		got.Missing = append(got.Missing, p.why)
	case p.state == policyLax:
		got.Unenforced = append(got.Unenforced, p.why+"; until then every reset under it would end as unenforced")
	}
	return nil
}

// probeRights tries the rights on probe_dn, or on the first accounts there are until one lets us.
func (d *directory) probeRights(ctx context.Context, s *session, got *schemas.Capabilities) *schemas.Failure {
	base, scope := d.config.BaseDN, ldap.ScopeWholeSubtree
	if d.config.ProbeDN != "" {
		base, scope = d.config.ProbeDN, ldap.ScopeBaseObject
	}
	entries, err := s.Search(ctx, base, scope, d.config.UserFilter, samples, attrID, attrCSN, d.config.UIDAttribute)
	code, _ := ldapconn.Answer(err)
	if err != nil && code != ldap.LDAPResultSizeLimitExceeded && code != ldap.LDAPResultNoSuchObject {
		return s.Failure(ctx, "looking for an account to try the rights on", err)
	}
	if len(entries) == 0 {
		got.Missing = append(got.Missing, fmt.Sprintf("no account can be seen at %s; check base_dn, user_filter and probe_dn, or %s",
			base, d.grant("entry,objectClass,"+attrID+","+d.config.UIDAttribute+","+d.config.MailAttribute, "read")))
		return nil
	}
	// Some accounts may be out of reach on purpose, so one that lets us is enough.
	var first []string
	for _, e := range entries {
		a := accountOf(e, d.config.UIDAttribute)
		missing, f := d.tryRights(ctx, s, a, got)
		if f != nil {
			return f
		}
		if len(missing) == 0 {
			return d.probeExcess(ctx, s, a, got)
		}
		if first == nil {
			first = missing
		}
	}
	got.Missing = append(got.Missing, first...)
	return nil
}

// tryRights gives what is missing on one account, and notes in got if the overlay does not act there.
func (d *directory) tryRights(ctx context.Context, s *session, a account, got *schemas.Capabilities) (missing []string, f *schemas.Failure) {
	if a.id == "" || a.evidence.Marker == "" {
		missing = append(missing, "resetd's account may not read entryUUID and entryCSN of "+a.dn+"; "+d.grantAt(a.dn, attrID+","+attrCSN, "read"))
	}
	if s.Root.ppolicy {
		acts, f := d.overlayOf(ctx, s, a)
		if f != nil {
			return nil, f
		}
		if acts == overlayIdle {
			got.Unenforced = []string{idle(s, a) + "; until then every reset there would end as unenforced"}
		}
	}
	attributes := []string{attrSecret, attrReset}
	if !s.Root.ppolicy {
		attributes = attributes[:1]
	}
	for _, attribute := range attributes {
		may, f := d.may(ctx, s, a, attribute)
		if f != nil {
			return nil, f
		}
		if !may {
			missing = append(missing, "resetd's account may not write "+attribute+" of "+a.dn+"; "+d.grantWrite(a.dn, attribute))
		}
	}
	return missing, nil
}

// may tells whether an attribute of an account may be written, without writing it. The request cannot succeed: it deletes
// a random value, and of the flag, which has one value at most, both that it could have. The server checks the right first
// and carries out a request as a whole or not at all (RFC 4511 §4.6).
func (d *directory) may(ctx context.Context, s *session, a account, attribute string) (bool, *schemas.Failure) {
	values := []string{connectors.NewPassword(0, 0).Reveal()}
	if attribute == attrReset {
		values = []string{"TRUE", "FALSE"}
	}
	var changes []ldap.Change
	for _, v := range values {
		changes = append(changes, ldap.Change{Operation: ldap.DeleteAttribute, Modification: ldap.PartialAttribute{Type: attribute, Vals: []string{v}}})
	}
	r := ldap.NewModifyRequest(a.dn, nil)
	r.Changes = changes
	err := s.Within(ctx, func(c *ldap.Conn) error { return c.Modify(r) })
	switch code, answered := ldapconn.Answer(err); {
	case answered && code == ldap.LDAPResultNoSuchAttribute:
		return true, nil
	case answered && (code == ldap.LDAPResultInsufficientAccessRights || code == ldap.LDAPResultNoSuchObject):
		return false, nil
	case err == nil:
		return false, schemas.Fail(schemas.CodeUnexpected, "%s says that it deleted values from %s of %s that cannot be there", s.Server.URL, attribute, a.dn)
	}
	return false, s.Failure(ctx, "trying the rights on "+a.dn, err)
}

// probeExcess warns when our account may do what a reset does not need: write other attributes, which is how the rootdn
// shows, whom no password policy binds; or read password hashes. Of these only the attribute's name is asked for.
func (d *directory) probeExcess(ctx context.Context, s *session, a account, got *schemas.Capabilities) *schemas.Failure {
	may, f := d.may(ctx, s, a, "description")
	if f != nil {
		return f
	}
	if may {
		got.Warn = append(got.Warn, fmt.Sprintf("%s may write more of %s than userPassword and pwdReset: it holds too much, or is the rootdn, "+
			"which no password policy binds; use an account of its own", d.config.BindDN, a.dn))
	}
	entries, err := s.Find(ctx, ldap.SearchRequest{BaseDN: a.dn, Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", SizeLimit: 1,
		TypesOnly: true, Attributes: []string{attrSecret}})
	if _, answered := ldapconn.Answer(err); err != nil && !answered {
		return s.Failure(ctx, "trying the rights on "+a.dn, err)
	}
	if len(entries) == 1 && len(entries[0].Attributes) > 0 {
		got.Warn = append(got.Warn, fmt.Sprintf("%s may read password hashes, which a reset does not need; grant =w on userPassword in place of write", d.config.BindDN))
	}
	return nil
}
