package awsiam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// Reset sets PasswordResetRequired, and with randomize a random password in the same call, so that there is no moment with
// one and not the other. Before and afterwards it writes the record by which Verify can tell that it was done.
func (a *account) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (schemas.Receipt, error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnsupported, "AWS IAM has no recovery of its own for IAM users; use randomize or expire")
	}
	u, f := a.read(ctx, id)
	if f == nil {
		f = a.refuse(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	var got schemas.Receipt
	if mode == schemas.ModeExpire {
		got, f = a.expire(ctx, u)
	} else {
		got, f = a.randomize(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	return got, nil
}

// refuse stops what would do harm, or no good, before anything is changed.
func (a *account) refuse(ctx context.Context, u user) *schemas.Failure {
	if f := a.ourselves(ctx, u); f != nil {
		return f
	}
	if u.profile == nil {
		return schemas.Fail(schemas.CodeNotApplicable, "%s has %s; nothing was changed", u.name, noProfile)
	}
	return nil
}

// ourselves refuses the user that resetd itself signs in as, also if it only assumes a role with that user's key: with the
// key switched off it could not even tell.
func (a *account) ourselves(ctx context.Context, u user) *schemas.Failure {
	c, f := a.aws.Caller(ctx)
	if f != nil {
		return f
	}
	own := c.UserID == u.id
	if !own && a.config.RoleARN != "" && a.config.AccessKeyID != "" {
		keys, f := a.keys(ctx, u)
		if f != nil {
			return f
		}
		own = slices.Contains(keys, a.config.AccessKeyID)
	}
	if own {
		return schemas.Fail(schemas.CodeProtected, "%s is the user that resetd signs in as; nothing was changed", u.name)
	}
	return nil
}

// expire sets the flag, also where it is set already: the note is how Verify sees that somebody asked again.
func (a *account) expire(ctx context.Context, u user) (schemas.Receipt, *schemas.Failure) {
	if f := a.announce(ctx, u, stageFlag); f != nil {
		return schemas.Receipt{}, f
	}
	if f := a.update(ctx, u, schemas.Secret{}); f != nil {
		return schemas.Receipt{}, f
	}
	if _, f := a.still(ctx, u, "PasswordResetRequired was set"); f != nil {
		return schemas.Receipt{}, f
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: "PasswordResetRequired was set; whoever knows the password can make the change"}, nil
}

// announce notes what is about to be sent.
func (a *account) announce(ctx context.Context, u user, stage string) *schemas.Failure {
	f := a.mark(ctx, u, stage)
	if f != nil && f.Code == schemas.CodeTimedOut { // the note is not the password: whether it was written does not matter
		return schemas.Fail(schemas.CodeUnavailable, "%s; the password was not touched", f.Detail)
	}
	return f
}

// randomize sets a random password with the flag.
func (a *account) randomize(ctx context.Context, u user) (schemas.Receipt, *schemas.Failure) {
	min, f := a.leastLength(ctx)
	if f != nil {
		return schemas.Receipt{}, f
	}
	stage := stageSent
	if u.profile.PasswordResetRequired {
		stage = stageBlind
	}
	if f := a.announce(ctx, u, stage); f != nil {
		return schemas.Receipt{}, f
	}
	for try := 1; ; try++ {
		password := connectors.NewPassword(min, 0)
		sealed, f := a.env.Sealed(password)
		if f != nil {
			return schemas.Receipt{}, f
		}
		switch f = a.update(ctx, u, password); {
		case f == nil:
			const done = "a random password was set, and no earlier one works any more"
			now, f := a.still(ctx, u, done)
			if f != nil {
				return schemas.Receipt{}, f
			}
			if f := a.mark(ctx, now, stageSet); f != nil {
				return schemas.Receipt{}, schemas.Fail(schemas.CodeTimedOut, "%s, but the note of it cannot be written: %s", done, f.Detail)
			}
			return schemas.Receipt{Code: schemas.CodeOK, Sealed: sealed,
				Detail: done + "; the user must change it at the next console sign-in. Not covered: access keys, SSH keys, service-specific credentials, MFA devices"}, nil
		case f.Code != schemas.CodePasswordRejected || try == maxTries:
			return schemas.Receipt{}, f
		}
	}
}

// update makes the one call that changes the password's state. An empty password leaves it as it is.
func (a *account) update(ctx context.Context, u user, password schemas.Secret) *schemas.Failure {
	in := &iam.UpdateLoginProfileInput{UserName: &u.name, PasswordResetRequired: aws.Bool(true)}
	if !password.Empty() {
		in.Password = aws.String(password.Reveal())
	}
	_, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "resetting the console password of " + u.name, Action: "iam:UpdateLoginProfile", Resource: a.users(),
		Changes: true, Secret: password, Explain: a.explain(u)},
		func(ctx context.Context) (*iam.UpdateLoginProfileOutput, error) {
			return a.iam.UpdateLoginProfile(ctx, in)
		})
	return f
}

// still makes sure that a change was made to whom it was meant for, and gives the user as it is now. IAM takes names alone,
// and a name may have passed to somebody else between the reading and the change.
func (a *account) still(ctx context.Context, u user, done string) (user, *schemas.Failure) {
	now, f := a.get(ctx, u.name)
	if f == nil && now == nil { // renamed since
		var found user
		if found, f = a.byID(ctx, schemas.Identity{ID: u.id}); f == nil {
			now = &found
		}
	}
	switch {
	case f != nil:
		return user{}, schemas.Fail(schemas.CodeTimedOut, "%s, but it cannot be read back whose it is now: %s", done, f.Detail)
	case now.id != u.id:
		return user{}, schemas.Fail(schemas.CodeUnenforced, "%s for the name %s, but in that very moment the name passed to somebody else; look at both users, and reset the one that was meant (%s) again",
			done, u.name, u.id)
	}
	return *now, nil
}

// leastLength reads the account's password policy; zero without one.
func (a *account) leastLength(ctx context.Context) (int, *schemas.Failure) {
	p, f := a.policy(ctx)
	if f != nil || p == nil {
		return 0, f
	}
	return int(aws.ToInt32(p.MinimumPasswordLength)), nil
}

// explain gives the meaning of errors that is IAM's own.
func (a *account) explain(u user) func(awsapi.Answer) *schemas.Failure {
	return func(answer awsapi.Answer) *schemas.Failure {
		switch answer.Code {
		case "LimitExceeded":
			return schemas.Fail(schemas.CodeConflict, "%s has as many tags or as long inline policies as IAM allows (LimitExceeded); remove some that are not needed", u.name)
		case "EntityTemporarilyUnmodifiable":
			return schemas.Fail(schemas.CodeUnavailable, "%s is being changed by another request (EntityTemporarilyUnmodifiable); nothing was changed, and it is tried again", u.name)
		case "NoSuchEntity":
			return schemas.Fail(schemas.CodeUnavailable, "%s is not there any more, was renamed, or lost the console password in this very moment; nothing was changed, and it is tried again", u.name)
		case "PasswordPolicyViolation":
			return schemas.Fail(schemas.CodePasswordRejected, "the account's password policy refuses a random password of 32 characters of all four classes (PasswordPolicyViolation); "+
				"nothing was changed; compare the account's password policy")
		}
		return nil
	}
}
