package awsiam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// noProfile says why a user is not reset here.
const noProfile = "no console password; access keys, which the user may have, are not covered by a reset"

// Classify reads the user, the console password's state, and whether a policy makes an administrator. A user without a
// console password counts as federated: there is nothing here that a reset could force, so it ends as not_applicable.
func (a *account) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	u, f := a.read(ctx, id)
	if f != nil {
		return schemas.Class{}, f
	}
	why, f := a.administrator(ctx, u)
	if f != nil {
		return schemas.Class{}, f
	}
	class := schemas.Class{Origin: schemas.OriginNative, Enabled: true, Privileged: why != "", Evidence: u.evidence()}
	if u.profile == nil {
		class.Origin, class.Enabled, class.Why = schemas.OriginFederated, false, noProfile
	} else {
		class.Why = "an IAM user with a console password, the first since " + aws.ToTime(u.profile.CreateDate).UTC().Format("2006-01-02") +
			"; AWS does not tell when it was last changed"
	}
	if why != "" {
		class.Why += "; " + why
	}
	return class, nil
}

// policy reads the account's password policy; nil if there is none.
func (a *account) policy(ctx context.Context) (*types.PasswordPolicy, *schemas.Failure) {
	out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the account's password policy", Action: "iam:GetAccountPasswordPolicy"},
		func(ctx context.Context) (*iam.GetAccountPasswordPolicyOutput, error) {
			return a.iam.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
		})
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	}
	return out.PasswordPolicy, nil
}
