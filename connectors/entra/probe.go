package entra

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// soon is how long before its end a credential is warned of.
const soon = 30 * 24 * time.Hour

// Probe reads what we may do. There is no dry run in Graph: the lists of our rights are all there is, and the first real
// refusal is explained by the same lists.
func (t *tenant) Probe(ctx context.Context) (schemas.Capabilities, error) {
	got := schemas.Capabilities{Product: "Microsoft Entra ID (Graph v1.0, " + t.config.Cloud + ")", Revoke: true,
		Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}}
	for _, look := range []func(context.Context, *schemas.Capabilities) *schemas.Failure{t.probeUsers, t.probeRights, t.probeDomains, t.probeCredential} {
		if f := look(ctx, &got); f != nil {
			return schemas.Capabilities{}, f
		}
	}
	if len(got.Missing) > 0 {
		t.renew()
	}
	got.TLS, got.Clock = t.rest.Seen()
	got.Limit = t.pace()
	return got, nil
}

// probeUsers reads one account, with the property that proves a reset and without.
func (t *tenant) probeUsers(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	var any page[user]
	query := url.Values{"$top": {"1"}, "$select": {"id,passwordProfile"}}
	f := t.get(ctx, "reading an account", "/users", query, &any)
	if f == nil {
		f = t.empty(any.Value != nil, "reading an account")
	}
	if f == nil {
		return t.probeAdmins(ctx, any.Value, got)
	}
	if f.Code != schemas.CodePermissionMissing {
		return f
	}
	query.Set("$select", "id")
	f = t.get(ctx, "reading an account", "/users", query, &any)
	switch {
	case f == nil:
		got.Warn = append(got.Warn, "passwordProfile cannot be read, so a reset can be made but not proved, and ends as needs_review; grant User-PasswordProfile.ReadWrite.All")
		return t.probeAdmins(ctx, any.Value, got)
	case f.Code == schemas.CodePermissionMissing:
		got.Missing = append(got.Missing, "resetd may not read accounts; "+grantRead)
		return nil
	}
	return f
}

// probeAdmins reads the roles and groups of one account, as they are read of each that is to be reset.
func (t *tenant) probeAdmins(ctx context.Context, some []user, got *schemas.Capabilities) *schemas.Failure {
	if len(some) == 0 {
		return nil
	}
	p, f := t.privileges(ctx, &some[0])
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound: // deleted since it was listed
	case f != nil:
		return f
	case p.hidden && t.config.CheckRoles:
		got.Missing = append(got.Missing, "resetd cannot see who is an administrator, so it acts on nobody; "+grantSee)
	case p.hidden:
		got.Warn = append(got.Warn, "resetd cannot see who is an administrator and acts all the same (check_roles is off); "+grantSee)
	}
	return nil
}

// probeRights compares our rights with what a reset takes.
func (t *tenant) probeRights(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	h, f := t.ourselves(ctx)
	if f != nil {
		return f
	}
	for _, r := range []right{passwordRight, revokeRight} {
		switch {
		case h.has(r):
		case h.permissionsKnown && h.rolesKnown:
			got.Missing = append(got.Missing, "resetd may not "+r.need+"; "+r.grant)
		case h.permissionsKnown: // a role within an administrative unit does not show in the token
			got.Missing = append(got.Missing, "resetd may not "+r.need+" as far as can be seen; "+r.grant+
				"; if it has the right by a role that is limited to an administrative unit, grant RoleManagement.Read.Directory so that this can be seen")
		default:
			got.Warn = append(got.Warn, "whether resetd may "+r.need+" cannot be seen: the token does not tell, and Application.Read.All is not granted; the first reset will show it")
		}
	}
	if more := h.excess(); len(more) > 0 {
		got.Warn = append(got.Warn, "resetd holds more than a reset takes, which whoever steals its credential gets too: "+strings.Join(more, ", ")+"; take it away")
	}
	return nil
}

// probeDomains tells whether federated domains can be recognised, and remembers what it reads.
func (t *tenant) probeDomains(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	var all page[struct {
		ID   string `json:"id"`
		Kind string `json:"authenticationType"`
	}]
	f := t.get(ctx, "reading the domains", "/domains", url.Values{"$select": {"id,authenticationType"}}, &all)
	switch {
	case f != nil && unreadable(f):
		got.Warn = append(got.Warn, "resetd cannot see which domains are federated, and would try to reset users whose password lives elsewhere; grant Domain.Read.All")
		return nil
	case f != nil:
		return f
	}
	for _, d := range all.Value {
		for _, kind := range []string{domainManaged, domainFederated} {
			if strings.EqualFold(d.Kind, kind) {
				t.domains.put(strings.ToLower(d.ID), kind)
			}
		}
	}
	return nil
}

// probeCredential warns of the end of our own credential.
func (t *tenant) probeCredential(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	what, end := "the certificate", t.signIn.until
	if !t.config.ClientSecret.Empty() {
		var f *schemas.Failure
		if end, f = t.secretEnd(ctx); f != nil {
			return f
		}
		what = "the last client secret of the application"
	}
	switch left := time.Until(end); {
	case end.IsZero() || left > soon:
	case left <= 0:
		got.Warn = append(got.Warn, what+" has ended on "+end.UTC().Format(time.DateOnly)+"; make a new one and write it to the settings")
	default:
		got.Warn = append(got.Warn, what+" ends on "+end.UTC().Format(time.DateOnly)+"; make a new one and write it to the settings before")
	}
	return nil
}
