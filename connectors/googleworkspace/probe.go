package googleworkspace

import (
	"context"
	"net/http"
	"net/url"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// limit is what Google documents; its answers say nothing of it (https://developers.google.com/workspace/admin/directory/v1/limits).
const limit = "2,400 calls a minute, unless Google Cloud says otherwise under APIs & Services > Admin SDK API > Quotas; a reset with all that Revoke does takes about 10"

// Probe reads ourselves, our roles and what is in them. All of it is reading.
func (w *workspace) Probe(ctx context.Context) (schemas.Capabilities, error) {
	got := schemas.Capabilities{Product: product, Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Revoke: true, Limit: limit}
	super, f := w.probeReading(ctx, &got)
	if f == nil {
		f = w.probeRights(ctx, super, &got)
	}
	if f == nil {
		f = w.probeSignIn(ctx, &got)
	}
	if f != nil {
		return schemas.Capabilities{}, f
	}
	if w.config.ProofAttribute == "" {
		got.Warn = append(got.Warn, "proof_attribute is not set: a reset whose answer is lost cannot be told from one that was never made, so it is made again")
	}
	got.TLS, got.Clock = w.api.Seen()
	return got, nil
}

// lacking files a refusal for want of a right under Missing, and gives any other failure back.
func lacking(f *schemas.Failure, got *schemas.Capabilities) *schemas.Failure {
	if f == nil || f.Code != schemas.CodePermissionMissing {
		return f
	}
	got.Missing = append(got.Missing, f.Detail)
	return nil
}

// probeReading reads the account that we act as, or any one if we act as none. Super tells that it is a super administrator.
func (w *workspace) probeReading(ctx context.Context, got *schemas.Capabilities) (super bool, f *schemas.Failure) {
	if w.config.Subject == "" {
		query := url.Values{"customer": {w.config.Customer}, "maxResults": {"1"}, "fields": {"users(id)"}}
		_, f = w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: usersPath, Query: query, Doing: "reading a user"})
		return false, lacking(f, got)
	}
	u, f := w.fetch(ctx, w.config.Subject, "reading the account that resetd acts as")
	if f != nil && f.Code == schemas.CodeAccountNotFound {
		return false, schemas.Fail(schemas.CodeBadCredentials, "%s, whom resetd is to act as, is not found; correct subject in the settings of the system %s", w.config.Subject, w.env.System)
	}
	return u.SuperAdmin, lacking(f, got)
}

// probeRights holds the privileges of our roles against what is needed. Not every administrator may read roles; then only
// the first reset shows what is missing.
func (w *workspace) probeRights(ctx context.Context, super bool, got *schemas.Capabilities) *schemas.Failure {
	const tooMuch = " is a super administrator and may do everything; give resetd an account of its own with a custom role (see the README)"
	if super {
		got.Warn = append(got.Warn, w.who()+tooMuch)
		return nil
	}
	held, f := w.privileges(ctx)
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing:
		got.Warn = append(got.Warn, "which privileges "+w.who()+" has cannot be read, so a missing one shows only when it is needed: "+f.Detail)
		return nil
	case f != nil:
		return f
	case held.super:
		got.Warn = append(got.Warn, w.who()+tooMuch)
		return nil
	}
	for _, need := range w.needs() {
		if !held.has(need.privilege) {
			got.Missing = append(got.Missing, "the privilege "+need.console+" ("+need.privilege+"), "+need.why+"; in the admin console under Account > Admin roles, add it to the role of "+w.who())
		}
	}
	if w.config.ProofAttribute != "" && !held.has(privilegeAttributes) && !held.has(privilegeUpdate) {
		got.Warn = append(got.Warn, "proof_attribute is set, and "+w.who()+" has neither the privilege Users > Update custom attributes ("+privilegeAttributes+
			") nor Users > Update: Google may refuse every reset; add the first to the role, or take proof_attribute out of the settings")
	}
	for _, excess := range excesses {
		if held.has(excess.privilege) {
			got.Warn = append(got.Warn, w.who()+" also has the privilege "+excess.console+" ("+excess.privilege+"), which resetd never uses; take it out of the role")
		}
	}
	return nil
}

// probeSignIn finds out what can be told of other identity providers.
func (w *workspace) probeSignIn(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	switch w.config.ThirdPartyIDP {
	case idpAlways:
		got.Warn = append(got.Warn, "another identity provider signs people in (third_party_idp: always): nobody is reset here, and Revoke ends sessions; reset them at that provider")
		return nil
	case idpNever:
		return nil
	}
	all, _, f := w.idps.known(ctx)
	if f != nil {
		return lacking(f, got)
	}
	for _, a := range all {
		if a.means() == byUnknown {
			got.Missing = append(got.Missing, w.idps.hidden("some accounts").Detail)
			break
		}
	}
	return nil
}
