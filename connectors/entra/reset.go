package entra

import (
	"context"
	"net/http"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// maxPassword is the longest password that Entra takes
// (https://learn.microsoft.com/entra/identity/authentication/concept-sspr-policy).
const maxPassword = 256

// passwordChange is the body of a reset. It holds nothing else: in one request with accountEnabled, a missing right on the
// one would leave the other undone too.
type passwordChange struct {
	Profile newProfile `json:"passwordProfile"`
}

type newProfile struct {
	Force    bool   `json:"forceChangePasswordNextSignIn,omitempty"`
	ForceMFA bool   `json:"forceChangePasswordNextSignInWithMfa,omitempty"`
	Password string `json:"password,omitempty"`
}

// Reset demands a change of the password at the next sign-in, and with randomize sets a random password in the same
// request, so that there is no moment with one and not the other.
func (t *tenant) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported,
			"Entra has no recovery that an application may start: self-service password reset is begun by the user; use randomize or expire")
	}
	u, f := t.byID(ctx, id.ID)
	if f == nil {
		f = t.refuse(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	got, f := t.force(ctx, u, mode)
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

// refuse stops a reset of a password that does not live here, before anything is sent.
func (t *tenant) refuse(ctx context.Context, u *user) *schemas.Failure {
	origin, why, f := t.origin(ctx, u)
	switch {
	case f != nil:
		return f
	case origin == schemas.OriginSynced:
		return schemas.Fail(schemas.CodeResetAtSource, "the password of %s lives in the on-premises directory %s (%s); "+
			"reset it there, and Entra gets it by synchronisation; nothing was changed", u.UPN, u.Domain, why)
	case origin == schemas.OriginGuest:
		return schemas.Fail(schemas.CodeNotApplicable, "%s has no password in this tenant (%s); the home organisation must reset it; nothing was changed", u.UPN, why)
	case origin == schemas.OriginFederated:
		return schemas.Fail(schemas.CodeNotApplicable, "%s has no password in Entra (%s); reset it there; nothing was changed", u.UPN, why)
	}
	return nil
}

// force sends the change. The demand is sent also where it is there already: the record may be older than it looks.
func (t *tenant) force(ctx context.Context, u *user, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	body := passwordChange{newProfile{Force: !t.config.MFAFirst, ForceMFA: t.config.MFAFirst}}
	if mode == schemas.ModeExpire {
		if _, f := t.patch(ctx, u, body); f != nil {
			return schemas.Receipt{}, f
		}
		if u.mustChange() {
			return schemas.Receipt{Code: schemas.CodeAlreadyInForce, Detail: "the user had to change the password at the next sign-in already"}, nil
		}
		return schemas.Receipt{Code: schemas.CodeOK, Detail: "the user must change the password at the next sign-in; whoever knows the old one can do that"}, nil
	}
	if f := distinct(ctx, u); f != nil {
		return schemas.Receipt{}, f
	}
	for try := 1; ; try++ {
		made := connectors.NewPassword(0, maxPassword)
		sealed, f := t.env.Sealed(made)
		if f != nil {
			return schemas.Receipt{}, f
		}
		body.Profile.Password = made.Reveal()
		rejected, f := t.patch(ctx, u, body)
		switch {
		case f == nil:
			return schemas.Receipt{Code: schemas.CodeOK, Sealed: sealed,
				Detail: "a random password was set, no earlier one works any more, and the user must change it at the next sign-in"}, nil
		case !rejected || try == maxTries:
			return schemas.Receipt{}, f
		}
	}
}

// distinct waits until a new password will show in the record: its time has a grain of a second, and two passwords within
// the same second could not be told apart.
func distinct(ctx context.Context, u *user) *schemas.Failure {
	ahead := u.Changed.Sub(u.clock)
	if ahead < 0 || ahead > 5*time.Second { // long ago; or clocks that differ, which no wait mends
		return nil
	}
	select {
	case <-time.After(ahead + time.Second):
		return nil
	case <-ctx.Done():
		return schemas.Fail(schemas.CodeUnavailable, "the password was set within the last second, and the call ended before another could be told from it; nothing was changed").Because(ctx.Err())
	}
}

// patch sends the change, and tells whether it was the policy that rejected the password.
func (t *tenant) patch(ctx context.Context, u *user, body passwordChange) (rejected bool, _ *schemas.Failure) {
	a, f := t.change(ctx, rest.Call{Method: http.MethodPatch, Path: "/users/" + segment(u.ID), Body: body, Doing: "resetting the password"})
	switch {
	case f == nil && a.Status != http.StatusNoContent: // Graph says that and nothing else (https://learn.microsoft.com/graph/api/user-update)
		return false, t.rest.Failure(a, schemas.CodeTimedOut, "the answer is none of Graph's, so whether it was done is not known; see what stands between resetd and Graph")
	case f == nil || a == nil:
		return false, f
	}
	switch e := errorOf(a); {
	case a.Status == http.StatusForbidden && f.Code == schemas.CodePermissionMissing:
		return false, t.denied(ctx, u, f, passwordRight)
	case a.Status == http.StatusBadRequest && e.synced():
		return false, t.rest.Failure(a, schemas.CodeResetAtSource, "Entra says that the on-premises directory owns the account; reset it there; nothing was changed ("+e.label()+")")
	case a.Status == http.StatusBadRequest && e.federated():
		return false, t.rest.Failure(a, schemas.CodeNotApplicable, "Entra says that the account is federated; reset it at its identity provider; nothing was changed ("+e.label()+")")
	case a.Status == http.StatusBadRequest && e.aboutPassword() && body.Profile.Password != "":
		return true, t.rest.Failure(a, schemas.CodePasswordRejected, "the tenant's policy rejects random passwords of 32 characters; "+
			"compare the banned password list under Protection, Authentication methods, Password protection; nothing was changed ("+e.label()+")")
	}
	return false, f
}
