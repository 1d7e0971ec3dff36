package awsiam

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// revokePolicy is the name of the inline policy that refuses older sessions. It is always the same, so that it is replaced
// and not added to.
const revokePolicy = "resetd-revoke-older-sessions"

// Revoke refuses sessions that began before now by an inline policy, and switches off access keys, as the configuration
// says. IAM knows no other end of a session.
func (a *account) Revoke(ctx context.Context, id schemas.Identity) (schemas.Receipt, error) {
	if !a.config.DenyOlderSessions && !a.config.DeactivateAccessKeys {
		return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "nothing was ended, as deny_older_sessions and deactivate_access_keys are off: " +
			"console sessions go on for up to 12 hours, temporary credentials for up to 36, and access keys work as before"}, nil
	}
	u, f := a.byID(ctx, id)
	if f == nil {
		f = a.ourselves(ctx, u)
	}
	if f != nil {
		return schemas.Receipt{}, f
	}
	var done []string
	if a.config.DenyOlderSessions {
		if f := a.denyOlder(ctx, u); f != nil {
			return schemas.Receipt{}, f
		}
		done = append(done, "the inline policy "+revokePolicy+" refuses console sessions and temporary credentials of the user from before now, within seconds")
	}
	keys, f := a.keys(ctx, u)
	if f != nil {
		return schemas.Receipt{}, f
	}
	if a.config.DeactivateAccessKeys {
		for _, k := range keys {
			if f := a.deactivate(ctx, u, k); f != nil {
				return schemas.Receipt{}, f
			}
		}
		done = append(done, fmt.Sprintf("%d access keys were switched off", len(keys)))
	} else if len(keys) > 0 {
		done = append(done, fmt.Sprintf("NOT covered: %d active access keys go on working (deactivate_access_keys is off)", len(keys)))
	}
	done = append(done, "sessions of roles that the user has assumed go on until they run out")
	return schemas.Receipt{Code: schemas.CodeOK, Detail: strings.Join(done, "; ")}, nil
}

// denyOlder writes the policy. The moment is AWS's own clock, and a second later: tokens carry whole seconds.
//
// Only temporary credentials, among them those behind a console session, have a TokenIssueTime; requests with long-term
// keys have none, and the condition does not hold for them (IAM user guide, "aws:TokenIssueTime").
func (a *account) denyOlder(ctx context.Context, u user) *schemas.Failure {
	before := a.aws.Now().Truncate(time.Second).Add(time.Second).Format(time.RFC3339)
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": map[string]any{"DateLessThan": map[string]string{"aws:TokenIssueTime": before}}}}})
	if err != nil {
		return schemas.Fail(schemas.CodeUnexpected, "the policy cannot be written out; please report this")
	}
	_, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "writing the policy that refuses older sessions of " + u.name, Action: "iam:PutUserPolicy", Resource: a.users(),
		Changes: true, Explain: a.explain(u)},
		func(ctx context.Context) (*iam.PutUserPolicyOutput, error) {
			return a.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &u.name, PolicyName: aws.String(revokePolicy), PolicyDocument: aws.String(string(document))})
		})
	return f
}

// keys gives the ids of the user's active access keys. There are two at most (IAM quotas), so one page holds them.
func (a *account) keys(ctx context.Context, u user) (active []string, _ *schemas.Failure) {
	out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the access keys of " + u.name, Action: "iam:ListAccessKeys", Resource: a.everybody()},
		func(ctx context.Context) (*iam.ListAccessKeysOutput, error) {
			return a.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &u.name})
		})
	if f != nil {
		return nil, f
	}
	for _, k := range out.AccessKeyMetadata {
		if k.Status == types.StatusTypeActive {
			active = append(active, aws.ToString(k.AccessKeyId))
		}
	}
	return active, nil
}

// deactivate switches one access key off. It is not deleted: whoever owns it must see what it was used for.
func (a *account) deactivate(ctx context.Context, u user, key string) *schemas.Failure {
	_, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "switching off an access key of " + u.name, Action: "iam:UpdateAccessKey", Resource: a.users(), Changes: true},
		func(ctx context.Context) (*iam.UpdateAccessKeyOutput, error) {
			return a.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &u.name, AccessKeyId: &key, Status: types.StatusTypeInactive})
		})
	return f
}
