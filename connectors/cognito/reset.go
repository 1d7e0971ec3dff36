package cognito

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// Reset sets a random temporary password, which Cognito demands to be changed (randomize), or has Cognito send the user a
// code with which a new one is chosen (recovery). There is no flag alone.
func (p *pool) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeRecovery {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported, "Amazon Cognito cannot demand a new password without touching the old one; use randomize or recovery")
	}
	u, f := p.bySub(ctx, id.ID)
	if f != nil {
		return schemas.Receipt{}, f
	}
	r, f := p.described(ctx)
	if f == nil {
		f = refuse(u, r, mode)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	var got schemas.Receipt
	if mode == schemas.ModeRecovery {
		got, f = p.recover(ctx, u)
	} else {
		got, f = p.randomize(ctx, u, r)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

// refuse stops what would do harm, or no good, before anything is changed or sent.
func refuse(u user, r rules, mode schemas.Mode) *schemas.Failure {
	switch u.status {
	case types.UserStatusTypeExternalProvider:
		// AdminSetUserPassword would make a native sign-in of it, beside the one at the identity provider.
		return schemas.Fail(schemas.CodeNotApplicable, "%s %s; nothing was changed; reset the password there", u.name, statusWords[u.status])
	case types.UserStatusTypeConfirmed, types.UserStatusTypeForceChangePassword, types.UserStatusTypeResetRequired:
	default:
		return schemas.Fail(schemas.CodeConflict, "%s is %s (%s), and a new password would change that; nothing was changed; such a user cannot sign in as it is",
			u.name, statusWords[u.status], u.status)
	}
	if mode != schemas.ModeRecovery {
		return nil
	}
	mail := u.attributes["email"] != "" && u.attributes["email_verified"] == "true"
	phone := u.attributes["phone_number"] != "" && u.attributes["phone_number_verified"] == "true"
	switch {
	case !r.recovers():
		return schemas.Fail(schemas.CodeUnsupported, "the user pool lets administrators alone recover passwords (AccountRecoverySetting admin_only); nothing was sent; use randomize")
	case !u.enabled:
		return schemas.Fail(schemas.CodeConflict, "%s is disabled, and Amazon Cognito sends no code to disabled users; nothing was sent; use randomize", u.name)
	case u.status == types.UserStatusTypeForceChangePassword:
		return schemas.Fail(schemas.CodeConflict, "%s has a temporary password, which Amazon Cognito does not let users recover; nothing was sent; use randomize", u.name)
	case !mail && !phone:
		return schemas.Fail(schemas.CodeConflict, "%s has neither a verified e-mail address nor a verified phone number, so that a code would reach nobody; nothing was sent; "+
			"verify one of them (attribute email_verified or phone_number_verified), or use randomize", u.name)
	}
	return nil
}

// change describes a call that changes a user.
func (p *pool) change(u user, doing, operation string, secret schemas.Secret) awsapi.Call {
	c := p.call(doing+" of "+u.name, operation)
	c.Changes, c.Secret = true, secret
	return c
}

// randomize sets a random temporary password.
func (p *pool) randomize(ctx context.Context, u user, r rules) (schemas.Receipt, *schemas.Failure) {
	for try := 1; ; try++ {
		password := connectors.NewPassword(r.least, 0)
		sealed, f := p.env.Sealed(password)
		if f != nil {
			return schemas.Receipt{}, f
		}
		_, f = awsapi.Do(ctx, p.aws, p.change(u, "setting a temporary password", "AdminSetUserPassword", password),
			func(ctx context.Context) (*cip.AdminSetUserPasswordOutput, error) {
				return p.api.AdminSetUserPassword(ctx, &cip.AdminSetUserPasswordInput{UserPoolId: &p.config.UserPoolID, Username: &u.name,
					Password: aws.String(password.Reveal()), Permanent: false})
			})
		switch {
		case f == nil:
			return schemas.Receipt{Code: schemas.CodeOK, Sealed: sealed, Detail: fmt.Sprintf("a random temporary password was set, and no earlier one works any more; "+
				"the user must change it at the next sign-in; it runs out after %d days, and then an administrator must set another", r.validDays)}, nil
		case f.Code != schemas.CodePasswordRejected || try == maxTries:
			return schemas.Receipt{}, f
		}
	}
}

// recover has Cognito send a code. It is sent again to whoever was asked before: the first may have been lost.
func (p *pool) recover(ctx context.Context, u user) (schemas.Receipt, *schemas.Failure) {
	_, f := awsapi.Do(ctx, p.aws, p.change(u, "starting the password recovery", "AdminResetUserPassword", schemas.Secret{}),
		func(ctx context.Context) (*cip.AdminResetUserPasswordOutput, error) {
			return p.api.AdminResetUserPassword(ctx, &cip.AdminResetUserPasswordInput{UserPoolId: &p.config.UserPoolID, Username: &u.name})
		})
	if f != nil {
		return schemas.Receipt{}, f
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "the password works no more, and Amazon Cognito has sent the user a code to choose a new one; whoever reads that mailbox or phone can use it"}, nil
}

// Revoke ends the user's sessions as far as Cognito can: its refresh tokens work no more.
func (p *pool) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	u, f := p.bySub(ctx, id.ID)
	if f == nil {
		_, f = awsapi.Do(ctx, p.aws, p.change(u, "signing out all sessions", "AdminUserGlobalSignOut", schemas.Secret{}),
			func(ctx context.Context) (*cip.AdminUserGlobalSignOutOutput, error) {
				return p.api.AdminUserGlobalSignOut(ctx, &cip.AdminUserGlobalSignOutInput{UserPoolId: &p.config.UserPoolID, Username: &u.name})
			})
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "refresh tokens are revoked, and Cognito takes the access tokens no more; applications and APIs that check ID and access tokens by themselves " +
		"take them until they run out (an hour as a rule, a day at most); a session at another identity provider goes on"}, nil
}
