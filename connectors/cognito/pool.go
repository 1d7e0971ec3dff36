package cognito

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// pool is one user pool.
type pool struct {
	config Config
	env    connectors.Env
	aws    *awsapi.Session
	api    *cip.Client
	names  *names

	mu    sync.Mutex
	rules rules
	until time.Time
}

// Close lets go of connections that lie idle.
func (p *pool) Close() error { return p.aws.Close() }

// rulesFor is how long the pool's own settings are believed.
const rulesFor = time.Minute

// usualValidity is how many days a temporary password works where the pool does not say.
const usualValidity = 7

// rules are the pool's settings that matter here.
type rules struct {
	name      string
	anyCase   bool     // user names and addresses are compared without regard to case
	logins    []string // attributes that a user may sign in with beside the user name
	least     int      // the length of passwords
	validDays int      // of a temporary password
	recovery  []types.RecoveryOptionNameType
}

// recovers tells whether users may recover their passwords themselves, as AdminResetUserPassword asks them to.
func (r rules) recovers() bool {
	return slices.Contains(r.recovery, types.RecoveryOptionNameTypeVerifiedEmail) || slices.Contains(r.recovery, types.RecoveryOptionNameTypeVerifiedPhoneNumber)
}

// described gives the pool's settings, as they were within the last minute.
func (p *pool) described(ctx context.Context) (rules, *schemas.Failure) {
	p.mu.Lock()
	known, until := p.rules, p.until
	p.mu.Unlock()
	if time.Now().Before(until) {
		return known, nil
	}
	out, f := awsapi.Do(ctx, p.aws, p.call("reading the user pool's settings", "DescribeUserPool"), func(ctx context.Context) (*cip.DescribeUserPoolOutput, error) {
		return p.api.DescribeUserPool(ctx, &cip.DescribeUserPoolInput{UserPoolId: &p.config.UserPoolID})
	})
	switch {
	case f != nil:
		return rules{}, f
	case out.UserPool == nil:
		return rules{}, schemas.Fail(schemas.CodeUnavailable, "reading the user pool's settings at Amazon Cognito (%s): the answer holds none", p.env.System)
	}
	r := rulesOf(out.UserPool)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.until = r, time.Now().Add(rulesFor)
	return r, nil
}

func rulesOf(in *types.UserPoolType) rules {
	r := rules{name: aws.ToString(in.Name), validDays: usualValidity,
		// Without the setting a pool is an old one, and those tell cases apart (Cognito developer guide, "User pool case sensitivity").
		anyCase: in.UsernameConfiguration != nil && in.UsernameConfiguration.CaseSensitive != nil && !*in.UsernameConfiguration.CaseSensitive}
	for _, one := range in.UsernameAttributes {
		r.logins = append(r.logins, string(one))
	}
	for _, one := range in.AliasAttributes {
		r.logins = append(r.logins, string(one))
	}
	if in.Policies != nil && in.Policies.PasswordPolicy != nil {
		r.least = int(aws.ToInt32(in.Policies.PasswordPolicy.MinimumLength))
		if days := int(in.Policies.PasswordPolicy.TemporaryPasswordValidityDays); days > 0 {
			r.validDays = days
		}
	}
	if in.AccountRecoverySetting == nil { // the legacy way: by whatever contact is verified
		r.recovery = []types.RecoveryOptionNameType{types.RecoveryOptionNameTypeVerifiedEmail, types.RecoveryOptionNameTypeVerifiedPhoneNumber}
	} else {
		for _, one := range in.AccountRecoverySetting.RecoveryMechanisms {
			r.recovery = append(r.recovery, one.Name)
		}
	}
	return r
}

// call describes a call that changes nothing.
func (p *pool) call(doing, operation string) awsapi.Call {
	return awsapi.Call{Doing: doing, Action: "cognito-idp:" + operation, Resource: p.arn(), Explain: p.explain}
}

// arn is the pool's, as it belongs into a policy.
func (p *pool) arn() string {
	s := p.config.settings()
	account := s.AccountID
	if account == "" {
		account = "*"
	}
	return "arn:" + s.Partition() + ":cognito-idp:" + s.Region + ":" + account + ":userpool/" + p.config.UserPoolID
}

// explain gives the meaning of errors that is Cognito's own.
func (p *pool) explain(a awsapi.Answer) *schemas.Failure {
	switch a.Code {
	case "ResourceNotFound":
		return schemas.Fail(schemas.CodeUnexpected, "there is no user pool %s in the account that the credentials belong to; correct user_pool_id or the credentials of the system %s",
			p.config.UserPoolID, p.env.System)
	case "NotAuthorized":
		return schemas.Fail(schemas.CodeConflict, "Amazon Cognito does not allow it in the state that the user is in (%s); nothing was changed; look at the user there", a)
	case "InvalidParameter":
		return schemas.Fail(schemas.CodeConflict, "Amazon Cognito does not take it for this user (%s); nothing was changed; look at the user there", a)
	case "InvalidPassword", "PasswordHistoryPolicyViolation":
		return schemas.Fail(schemas.CodePasswordRejected, "the user pool's password policy refuses a random password of 32 characters of all four classes (%s); "+
			"nothing was changed; compare the pool's password policy", a.Code)
	case "InvalidEmailRoleAccessPolicy", "InvalidSmsRoleAccessPolicy", "InvalidSmsRoleTrustRelationship", "CodeDeliveryFailure",
		"InvalidLambdaResponse", "UnexpectedLambda", "UserLambdaValidation":
		return schemas.Fail(schemas.CodeConflict, "the user pool cannot send its message, or one of its Lambda triggers refuses (%s); mend that in the pool's settings", a.Code)
	}
	return nil
}
