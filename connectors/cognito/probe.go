package cognito

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/uuid"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// shortValidity is how many days a temporary password should work at least: less, and users find themselves locked out
// after a weekend.
const shortValidity = 3

// Probe reads the pool's settings and tries the rights on a user that does not exist: Cognito refuses for want of the right
// before it looks for the user. CloudTrail shows these attempts; nothing is ever changed or sent.
func (p *pool) Probe(ctx context.Context) (schemas.Capabilities, error) {
	c, f := p.aws.Caller(ctx)
	if f != nil {
		return schemas.Capabilities{}, f
	}
	got := schemas.Capabilities{Product: "Amazon Cognito, user pool " + p.config.UserPoolID, Modes: []schemas.Mode{schemas.ModeRandomize}, Revoke: true}
	if c.Root() {
		got.Warn = append(got.Warn, "the credentials are those of the AWS account's root user, which may do everything; make a role or a user of its own for resetd, and delete the root access key")
	}
	r, f := p.described(ctx)
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing:
		got.Missing = append(got.Missing, p.missing("DescribeUserPool"))
		got.Modes = append(got.Modes, schemas.ModeRecovery)
	case f != nil:
		return schemas.Capabilities{}, f
	default:
		got.Product += " (" + r.name + ")"
		p.weigh(r, &got)
	}
	for _, one := range p.rights() {
		may, f := p.try(ctx, one)
		if f != nil {
			return schemas.Capabilities{}, f
		}
		switch {
		case !may && one.needed:
			got.Missing = append(got.Missing, p.missing(one.operation))
		case may && !one.needed && !c.Root():
			got.Warn = append(got.Warn, "resetd's credentials may also use cognito-idp:"+one.operation+", which a reset does not take and which changes where recovery codes go; "+
				"give resetd the policy in the README of the kind cognito and no other")
		}
	}
	got.TLS, got.Clock = p.aws.Seen()
	return got, nil
}

func (p *pool) missing(operation string) string {
	return "resetd's credentials lack cognito-idp:" + operation + "; " + awsapi.Grant("cognito-idp:"+operation, p.arn())
}

// weigh says what the pool's settings mean for resets.
func (p *pool) weigh(r rules, got *schemas.Capabilities) {
	if r.recovers() {
		got.Modes = append(got.Modes, schemas.ModeRecovery)
	}
	if r.validDays < shortValidity {
		got.Warn = append(got.Warn, fmt.Sprintf("temporary passwords run out after %d days (TemporaryPasswordValidityDays): after that an administrator must set another", r.validDays))
	}
}

// right is one operation and a call of it that has nobody to act on.
type right struct {
	operation string
	needed    bool
	try       func(ctx context.Context, pool, nobody *string) error
}

// drop keeps the error alone of a call of the SDK.
func drop[T any](_ T, err error) error { return err }

// rights are all that the configuration takes, and one that it does not.
func (p *pool) rights() []right {
	all := []right{
		{"AdminGetUser", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminGetUser(ctx, &cip.AdminGetUserInput{UserPoolId: pool, Username: nobody}))
		}},
		{"ListUsers", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.ListUsers(ctx, &cip.ListUsersInput{UserPoolId: pool, Filter: aws.String(`sub = "` + *nobody + `"`), Limit: aws.Int32(1)}))
		}},
		{"AdminSetUserPassword", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminSetUserPassword(ctx, &cip.AdminSetUserPasswordInput{UserPoolId: pool, Username: nobody,
				Password: aws.String(connectors.NewPassword(0, 0).Reveal())}))
		}},
		{"AdminResetUserPassword", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminResetUserPassword(ctx, &cip.AdminResetUserPasswordInput{UserPoolId: pool, Username: nobody}))
		}},
		{"AdminUserGlobalSignOut", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminUserGlobalSignOut(ctx, &cip.AdminUserGlobalSignOutInput{UserPoolId: pool, Username: nobody}))
		}},
		{"AdminUpdateUserAttributes", false, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminUpdateUserAttributes(ctx, &cip.AdminUpdateUserAttributesInput{UserPoolId: pool, Username: nobody,
				UserAttributes: []types.AttributeType{{Name: aws.String("name"), Value: aws.String("nobody")}}}))
		}},
	}
	if len(p.config.PrivilegedGroups) > 0 {
		all = append(all, right{"AdminListGroupsForUser", true, func(ctx context.Context, pool, nobody *string) error {
			return drop(p.api.AdminListGroupsForUser(ctx, &cip.AdminListGroupsForUserInput{UserPoolId: pool, Username: nobody}))
		}})
	}
	return all
}

// try tells whether an operation is allowed. Whatever Cognito has to say of the user or the values comes after that.
func (p *pool) try(ctx context.Context, r right) (bool, *schemas.Failure) {
	nobody := uuid.NewString()
	_, f := awsapi.Do(ctx, p.aws, p.call("trying the right "+r.operation, r.operation), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.try(ctx, &p.config.UserPoolID, &nobody)
	})
	switch {
	case f == nil:
		return true, nil
	case f.Code == schemas.CodePermissionMissing:
		return false, nil
	case f.Code == schemas.CodeAccountNotFound, f.Code == schemas.CodeConflict, f.Code == schemas.CodePasswordRejected:
		return true, nil
	}
	return false, f
}
