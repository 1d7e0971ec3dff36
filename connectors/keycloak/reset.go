package keycloak

import (
	"context"
	"net/http"
	"slices"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Reset forces a new password, and reads the account back: that an action was stored does not mean that it is acted on.
func (r *realm) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported, "not offered for Keycloak: its recovery is a link by e-mail, which leaves the old password in force and helps "+
			"whoever reads the mailbox; use randomize, and let the user go by \"Forgot password\" of the log-in form")
	}
	got, f := r.force(ctx, id.ID, mode)
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

func (r *realm) force(ctx context.Context, id string, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	before, f := r.account(ctx, id)
	if f != nil {
		return schemas.Receipt{}, f
	}
	o, f := r.originOf(ctx, before)
	if f == nil {
		f = r.barred(before, o)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	demands, f := r.demandsChange(ctx)
	switch {
	case f != nil:
		return schemas.Receipt{}, f
	case !demands && mode == schemas.ModeExpire:
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because it would have no effect: %s", r.turnedOff())
	case mode == schemas.ModeExpire && before.evidence.MustChange:
		return schemas.Receipt{Code: schemas.CodeAlreadyInForce, Detail: "the account had to update its password already"}, nil
	case mode == schemas.ModeExpire:
		f = r.demand(ctx, before)
	}
	var sealed string
	if mode == schemas.ModeRandomize {
		sealed, f = r.setPassword(ctx, id)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	if !demands {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "the old password is dead, because a random one was set, but %s", r.turnedOff())
	}
	got, f := r.readBack(ctx, before, mode)
	got.Sealed = sealed
	return got, f
}

// demand adds UPDATE_PASSWORD to what the account must do. Keycloak takes the list as a whole and drops what is not in it.
func (r *realm) demand(ctx context.Context, a account) *schemas.Failure {
	union := append(slices.Clone(a.RequiredActions), updatePassword)
	_, f := r.api.Do(ctx, rest.Call{
		Method: http.MethodPut, Path: r.at(a.ID), Doing: "demanding another password",
		Body: map[string]any{"requiredActions": union},
	})
	return f
}

// readBack looks whether what was sent is there now. A reading that fails leaves the effect unknown.
func (r *realm) readBack(ctx context.Context, before account, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	now, f := r.account(ctx, before.ID)
	if f != nil {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeTimedOut, "Keycloak took the change, but whether it holds cannot be read: %s", f.Detail).Because(f)
	}
	proof := judge(now.evidence, before.evidence)
	switch {
	case !now.evidence.MustChange:
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "Keycloak took the change, but the account need not update its password; somebody may have changed it in between")
	case mode == schemas.ModeRandomize && !proof.Changed && before.provider() == "":
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "Keycloak took the password, but the account still has the one that it had")
	case mode == schemas.ModeExpire:
		return schemas.Receipt{Code: schemas.CodeOK, Detail: "the account must update its password at the next log-in; the old one still opens that log-in"}, nil
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "a random password was set, and must be updated at the next log-in"}, nil
}
