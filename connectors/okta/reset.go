package okta

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Reset forces a new password by one call, so that there is no moment with one half of it done. The temporary password of
// randomize is Okta's own and follows the org's password policy; it comes with the answer and is dropped, or sealed.
//
// The other way, to set a password of our own and expire it then, would take two calls with a moment between them, and the
// right to set values of credentials, which no custom role has.
func (o *org) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire && mode != schemas.ModeRecovery {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported, "Okta has no mode %s; use randomize, expire or recovery", mode)
	}
	u, answer, f := o.read(ctx, id.ID)
	if f == nil {
		f = o.refuse(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	var got schemas.Receipt
	switch {
	case mode == schemas.ModeRandomize:
		got, f = o.randomize(ctx, u, answer)
	case u.Status == statusRecovery: // for expire too: no password works, which is more
		return schemas.Receipt{Code: schemas.CodeAlreadyInForce, Detail: "a recovery is under way already: no password works until the user has set a new one; no other mail was sent"}, nil
	case mode == schemas.ModeRecovery:
		got, f = o.recover(ctx, u)
	case u.Status == statusExpired:
		return schemas.Receipt{Code: schemas.CodeAlreadyInForce, Detail: "the status is PASSWORD_EXPIRED already"}, nil
	default:
		got, f = o.expire(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

// refuse stops what would do harm, or no good, before anything is changed.
func (o *org) refuse(ctx context.Context, u user) *schemas.Failure {
	origin, why, f := u.origin()
	if f != nil {
		return f
	}
	own, f := o.ourselves(ctx, u.ID)
	switch standing := u.standing(); {
	case f != nil:
		return f
	case own:
		return schemas.Fail(schemas.CodeProtected, "%s owns the API token that resetd signs in with; nothing was changed", u.login())
	case origin == schemas.OriginSynced:
		return schemas.Fail(schemas.CodeResetAtSource, "%s; nothing was changed in Okta; reset the password there", why)
	case origin == schemas.OriginFederated:
		return schemas.Fail(schemas.CodeNotApplicable, "%s; nothing was changed in Okta; reset the password there", why)
	case u.Transition != "":
		return schemas.Fail(schemas.CodeUnavailable, "the status of %s is just being changed to %s; nothing was changed; wait until that is over", u.login(), u.Transition)
	case standing.refuse != "":
		return schemas.Fail(schemas.CodeConflict, "the status of %s is %s: %s; nothing was changed", u.login(), u.Status, standing.refuse)
	}
	return nil
}

// randomize has Okta put a temporary password, which must be changed, in the place of the one that is there.
func (o *org) randomize(ctx context.Context, u user, answer *rest.Answer) (schemas.Receipt, *schemas.Failure) {
	// Okta makes the password, so it can be sealed only when it is set. Whether sealing works is tried on another beforehand.
	if _, f := o.env.Sealed(connectors.NewPassword(0, 0)); f != nil {
		return schemas.Receipt{}, f
	}
	if f := o.overSecond(ctx, u, answer); f != nil {
		return schemas.Receipt{}, f
	}
	var made struct {
		Password schemas.Secret `json:"tempPassword"`
	}
	call := rest.Call{Path: "/lifecycle/expire_password_with_temp_password", Query: url.Values{"revokeSessions": {"false"}}, Into: &made, Doing: "setting a temporary password"}
	if f := o.change(ctx, u, call); f != nil {
		return schemas.Receipt{}, f
	}
	if made.Password.Empty() {
		return schemas.Receipt{}, o.unproved(call)
	}
	got := schemas.Receipt{Code: schemas.CodeOK, Detail: "Okta has set a temporary password, which nobody was shown and which must be changed"}
	if o.env.Seal == nil {
		return got, nil
	}
	if sealed, f := o.env.Sealed(made.Password); f == nil {
		got.Sealed = sealed
		got.Detail = "Okta has set a temporary password, which must be changed; it is sealed for the recipients under delivery:"
		return got, nil
	}
	got.Detail += "; it could not be sealed for the recipients under delivery: and was dropped"
	return got, nil
}

// overSecond waits out the second in which the password was set last. Okta's times have that grain, so a second password
// within it would leave no trace by which it can be proved.
func (o *org) overSecond(ctx context.Context, u user, answer *rest.Answer) *schemas.Failure {
	now, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil || u.PasswordChanged.IsZero() || now.Sub(u.PasswordChanged).Abs() > time.Second {
		return nil
	}
	select {
	case <-time.After(1100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return schemas.Fail(schemas.CodeUnavailable, "the password of %s was set a moment ago, and the call ended before another could be; nothing was changed", u.login()).Because(ctx.Err())
	}
}

// expire has the user change the password at the next sign-in.
func (o *org) expire(ctx context.Context, u user) (schemas.Receipt, *schemas.Failure) {
	var after user
	call := rest.Call{Path: "/lifecycle/expire_password", Into: &after, Doing: "expiring the password"}
	f := o.change(ctx, u, call)
	if f == nil && after.ID != u.ID {
		f = o.unproved(call)
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "the password has expired and must be changed at the next sign-in; whoever knows it can make that change"}, f
}

// unproved is the failure for a success of which Okta's own answer is missing.
func (o *org) unproved(call rest.Call) *schemas.Failure {
	return schemas.Fail(schemas.CodeTimedOut, "%s at Okta (%s): the answer is none of Okta's, so whether it was done is not known; see what stands between resetd and Okta",
		call.Doing, o.env.System)
}

// recover starts Okta's own recovery. Okta mails the link: it is not asked for, and what the answer holds is not read.
func (o *org) recover(ctx context.Context, u user) (schemas.Receipt, *schemas.Failure) {
	f := o.change(ctx, u, rest.Call{Path: "/lifecycle/reset_password", Query: url.Values{"sendEmail": {"true"}, "revokeSessions": {"false"}}, Doing: "starting the recovery"})
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "Okta has mailed the user a link; no password works until it is used"}, f
}

// change sends one of the lifecycle operations, which are all POST without a body.
func (o *org) change(ctx context.Context, u user, call rest.Call) *schemas.Failure {
	call.Method, call.Path = http.MethodPost, "/api/v1/users/"+url.PathEscape(u.ID)+call.Path
	_, f := o.client.Do(ctx, call)
	return o.refused(ctx, u.ID, f)
}

// refused tells a target that only a super administrator may touch from a right that resetd lacks. Okta refuses both alike.
func (o *org) refused(ctx context.Context, id string, f *schemas.Failure) *schemas.Failure {
	if f == nil || f.Code != schemas.CodePermissionMissing {
		return f
	}
	roles, unread := o.roles(ctx, id)
	switch {
	case unread != nil:
		f.Detail += "; or the account administers Okta, which cannot be read: only a super administrator may change administrators"
	case len(roles) > 0:
		return schemas.Fail(schemas.CodeProtected, "the account administers Okta (%s), and Okta lets only a super administrator change administrators; nothing was changed; "+
			"let one do it", strings.Join(typesOf(roles), ", ")).Because(f)
	}
	return f
}

// Revoke ends the account's sessions at Okta, wherever its password lives.
func (o *org) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	if !isID(id.ID) {
		return schemas.Receipt{}, notThere()
	}
	_, f := o.client.Do(ctx, rest.Call{Method: http.MethodDelete, Path: "/api/v1/users/" + url.PathEscape(id.ID) + "/sessions", Doing: "ending the sessions", Query: url.Values{
		"oauthTokens": {strconv.FormatBool(o.config.RevokeOAuthTokens)}, "forgetDevices": {strconv.FormatBool(o.config.ForgetDevices)},
	}})
	if f = o.refused(ctx, id.ID, f); f != nil {
		return schemas.Receipt{}, f
	}
	detail := "the sessions at Okta are ended"
	if o.config.RevokeOAuthTokens {
		detail += ", and the OAuth and OpenID Connect tokens that Okta gave out are revoked"
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: detail + "; sessions that applications keep themselves go on until they ask Okta again"}, nil
}
