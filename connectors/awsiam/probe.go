package awsiam

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// Probe asks whom the credentials belong to, reads what it may read, and tries the rights on a user that does not exist: IAM
// refuses for want of the right (403) before it looks for the user, and for want of the user (404) if the right is there.
// CloudTrail shows these attempts; nothing is ever changed. Rights that hold below a path only cannot be tried so; about them
// IAM's policy simulator is asked where that is allowed.
func (a *account) Probe(ctx context.Context) (schemas.Capabilities, error) {
	c, f := a.aws.Caller(ctx)
	if f != nil {
		return schemas.Capabilities{}, f
	}
	got := schemas.Capabilities{Product: "AWS IAM, account " + c.Account, Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire},
		Revoke: a.config.DenyOlderSessions || a.config.DeactivateAccessKeys}
	if c.Root() {
		got.Warn = append(got.Warn, "the credentials are those of the account's root user, which may do everything; make a role or a user of its own for resetd, and delete the root access key")
	}
	refused, f := a.tryRights(ctx, a.rights())
	if f != nil {
		return schemas.Capabilities{}, f
	}
	a.weigh(ctx, c, refused, &got)
	if f := a.probePolicy(ctx, &got); f != nil {
		return schemas.Capabilities{}, f
	}
	if f := a.probeExcess(ctx, c, &got); f != nil {
		return schemas.Capabilities{}, f
	}
	got.TLS, got.Clock = a.aws.Seen()
	return got, nil
}

// right is one action and a call that needs it but has nobody to act on. Scoped marks those that policies give for users
// below a path.
type right struct {
	action string
	scoped bool
	try    func(context.Context, *string) error
}

// drop keeps the error alone of a call of the SDK.
func drop[T any](_ T, err error) error { return err }

// rights are all that the configuration takes.
func (a *account) rights() []right {
	all := []right{
		{"iam:GetUser", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetUser(ctx, &iam.GetUserInput{UserName: n}))
		}},
		{"iam:ListUsers", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(1)}))
		}},
		{"iam:GetLoginProfile", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: n}))
		}},
		{"iam:UpdateLoginProfile", true, func(ctx context.Context, n *string) error {
			return drop(a.iam.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: n, PasswordResetRequired: aws.Bool(true)}))
		}},
		{"iam:TagUser", true, func(ctx context.Context, n *string) error {
			return drop(a.iam.TagUser(ctx, &iam.TagUserInput{UserName: n, Tags: []types.Tag{{Key: aws.String(markTag), Value: aws.String("probe")}}}))
		}},
		{"iam:ListAttachedUserPolicies", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: n}))
		}},
		{"iam:ListUserPolicies", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: n}))
		}},
		{"iam:GetUserPolicy", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: n, PolicyName: n}))
		}},
		{"iam:ListGroupsForUser", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: n}))
		}},
		{"iam:ListAttachedGroupPolicies", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: n}))
		}},
		{"iam:ListGroupPolicies", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: n}))
		}},
		{"iam:GetGroupPolicy", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: n, PolicyName: n}))
		}},
		{"iam:ListAccessKeys", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: n}))
		}},
	}
	own := "arn:" + a.config.Partition() + ":iam::" + a.config.AccountID + ":policy/"
	all = append(all,
		right{"iam:GetPolicy", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(own + *n)}))
		}},
		right{"iam:GetPolicyVersion", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(own + *n), VersionId: aws.String("v1")}))
		}})
	if a.config.DenyOlderSessions {
		all = append(all, right{"iam:PutUserPolicy", true, func(ctx context.Context, n *string) error {
			const nothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:GetCallerIdentity","Resource":"*"}]}`
			return drop(a.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: n, PolicyName: aws.String(revokePolicy), PolicyDocument: aws.String(nothing)}))
		}})
	}
	if a.config.DeactivateAccessKeys {
		all = append(all, right{"iam:UpdateAccessKey", true, func(ctx context.Context, n *string) error {
			return drop(a.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: n, AccessKeyId: aws.String("AKIAAAAAAAAAAAAAAAAA"), Status: types.StatusTypeInactive}))
		}})
	}
	if a.config.EmailTag != "" {
		all = append(all, right{"iam:GetAccountAuthorizationDetails", false, func(ctx context.Context, n *string) error {
			return drop(a.iam.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeUser}, MaxItems: aws.Int32(1)}))
		}})
	}
	return all
}

// tryRights gives those that are refused.
func (a *account) tryRights(ctx context.Context, all []right) (refused []right, _ *schemas.Failure) {
	nobody := "resetd-probe-" + rand.Text()
	for _, r := range all {
		_, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "trying the right " + r.action, Action: r.action},
			func(ctx context.Context) (struct{}, error) { return struct{}{}, r.try(ctx, &nobody) })
		switch {
		case f == nil || f.Code == schemas.CodeAccountNotFound:
		case f.Code == schemas.CodePermissionMissing:
			refused = append(refused, r)
		default:
			return nil, f
		}
	}
	return refused, nil
}

// weigh tells what a refusal means. Below the root path nobody can be tried on, so the simulator has the word there.
func (a *account) weigh(ctx context.Context, c awsapi.Caller, refused []right, got *schemas.Capabilities) {
	var scoped []string
	for _, r := range refused {
		switch {
		case r.scoped && len(a.config.PathPrefixes) > 0:
			scoped = append(scoped, r.action)
		case r.scoped:
			got.Missing = append(got.Missing, "resetd's credentials lack "+r.action+"; "+awsapi.Grant(r.action, a.users())+
				" (where the right is given below a path only, write the path as path_prefixes)")
		default:
			got.Missing = append(got.Missing, "resetd's credentials lack "+r.action+"; "+awsapi.Grant(r.action, "*"))
		}
	}
	if len(scoped) == 0 {
		return
	}
	denied, told := a.simulate(ctx, c, scoped)
	if !told {
		got.Warn = append(got.Warn, "whether resetd may use "+strings.Join(scoped, ", ")+" below "+strings.Join(a.config.PathPrefixes, ", ")+
			" cannot be told beforehand; grant it iam:SimulatePrincipalPolicy on itself, and check again")
		return
	}
	for _, action := range denied {
		got.Missing = append(got.Missing, "resetd's credentials lack "+action+"; "+awsapi.Grant(action, a.users()))
	}
}

// simulate asks IAM what its own policies say of the actions on users below the first path. Told is false where that is not
// allowed, or not known.
func (a *account) simulate(ctx context.Context, c awsapi.Caller, actions []string) (denied []string, told bool) {
	source := c.ARN
	if a.config.RoleARN != "" {
		source = a.config.RoleARN // STS names the session, the simulator wants the role
	}
	out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "asking the policy simulator", Action: "iam:SimulatePrincipalPolicy", Resource: source},
		func(ctx context.Context) (*iam.SimulatePrincipalPolicyOutput, error) {
			return a.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &source, ActionNames: actions,
				ResourceArns: []string{strings.TrimSuffix(a.users(), "*") + "resetd-probe"},
				ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:TagKeys"), ContextKeyType: types.ContextKeyTypeEnumStringList,
					ContextKeyValues: []string{markTag}}}})
		})
	if f != nil {
		return nil, false
	}
	for _, r := range out.EvaluationResults {
		if r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
			denied = append(denied, aws.ToString(r.EvalActionName))
		}
	}
	return denied, true
}

// probePolicy looks at what the account's password policy does to whoever must change the password.
func (a *account) probePolicy(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	p, f := a.policy(ctx)
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing:
		got.Missing = append(got.Missing, "resetd's credentials lack iam:GetAccountPasswordPolicy; "+awsapi.Grant("iam:GetAccountPasswordPolicy", "*"))
	case f != nil:
		return f
	case p != nil && !p.AllowUsersToChangePassword:
		got.Warn = append(got.Warn, "the account's password policy does not let users change their own password: whoever is not granted iam:ChangePassword otherwise "+
			"(policy IAMUserChangePassword) cannot sign in after a reset; set AllowUsersToChangePassword")
	}
	if p != nil && aws.ToBool(p.HardExpiry) {
		got.Warn = append(got.Warn, "the account's password policy has HardExpiry: a password that runs out before its change shuts the user out of the console")
	}
	return nil
}

// probeExcess warns when the credentials may do far more than a reset takes.
func (a *account) probeExcess(ctx context.Context, c awsapi.Caller, got *schemas.Capabilities) *schemas.Failure {
	if c.Root() {
		return nil
	}
	refused, f := a.tryRights(ctx, []right{{"iam:AttachUserPolicy", false, func(ctx context.Context, n *string) error {
		return drop(a.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: n, PolicyArn: aws.String("arn:" + a.config.Partition() + ":iam::aws:policy/AWSDenyAll")}))
	}}})
	if f == nil && len(refused) == 0 {
		got.Warn = append(got.Warn, "resetd's credentials may attach policies to users (as AdministratorAccess and IAMFullAccess allow), which a reset does not take; "+
			"give resetd the policy in the README of the kind awsiam and no other")
	}
	return f
}
