package awsiam

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// adminPolicies are AWS's own policies that let their holder do anything, or give himself the right to. There are more
// whose names begin with the first.
var adminPolicies = []string{"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"}

// verdictFor is how long it is believed what a policy or a group allows: many users share them.
const verdictFor = time.Minute

// verdicts remembers what policies and groups allow.
type verdicts struct {
	mu sync.Mutex
	of map[string]verdict
}

type verdict struct {
	why   string
	until time.Time
}

func newVerdicts() *verdicts { return &verdicts{of: map[string]verdict{}} }

// once gives what is believed of a key, or finds it out.
func (v *verdicts) once(key string, find func() (string, *schemas.Failure)) (string, *schemas.Failure) {
	v.mu.Lock()
	got, known := v.of[key]
	v.mu.Unlock()
	if known && time.Now().Before(got.until) {
		return got.why, nil
	}
	why, f := find()
	if f != nil {
		return "", f
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of[key] = verdict{why, time.Now().Add(verdictFor)}
	return why, nil
}

// administrator tells which policy makes a user an administrator; empty if none does. It looks at the policies of the user
// and of its groups, attached and inline. Boundaries and denials are not reckoned with: too careful is the better mistake.
func (a *account) administrator(ctx context.Context, u user) (string, *schemas.Failure) {
	var attached []types.AttachedPolicy
	f := a.pages(ctx, a.look("iam:ListAttachedUserPolicies", u.name), func(ctx context.Context, from *string) (bool, *string, error) {
		out, err := a.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &u.name, MaxItems: aws.Int32(pageSize), Marker: from})
		if err != nil {
			return false, nil, err
		}
		attached = append(attached, out.AttachedPolicies...)
		return out.IsTruncated, out.Marker, nil
	})
	if f != nil {
		return "", f
	}
	if why, f := a.anyOf(ctx, attached); f != nil || why != "" {
		return why, f
	}
	var inline []string
	f = a.pages(ctx, a.look("iam:ListUserPolicies", u.name), func(ctx context.Context, from *string) (bool, *string, error) {
		out, err := a.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &u.name, MaxItems: aws.Int32(pageSize), Marker: from})
		if err != nil {
			return false, nil, err
		}
		inline = append(inline, out.PolicyNames...)
		return out.IsTruncated, out.Marker, nil
	})
	if f != nil {
		return "", f
	}
	for _, name := range inline {
		if name == revokePolicy {
			continue
		}
		out, f := awsapi.Do(ctx, a.aws, a.look("iam:GetUserPolicy", u.name), func(ctx context.Context) (*iam.GetUserPolicyOutput, error) {
			return a.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &u.name, PolicyName: &name})
		})
		if f != nil && f.Code != schemas.CodeAccountNotFound { // it was removed meanwhile
			return "", f
		}
		if f == nil && allPowerful(aws.ToString(out.PolicyDocument)) {
			return "its inline policy " + name + " makes an administrator", nil
		}
	}
	var groups []types.Group
	f = a.pages(ctx, a.look("iam:ListGroupsForUser", u.name), func(ctx context.Context, from *string) (bool, *string, error) {
		out, err := a.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &u.name, MaxItems: aws.Int32(pageSize), Marker: from})
		if err != nil {
			return false, nil, err
		}
		groups = append(groups, out.Groups...)
		return out.IsTruncated, out.Marker, nil
	})
	if f != nil {
		return "", f
	}
	for _, g := range groups {
		name := aws.ToString(g.GroupName)
		why, f := a.policies.once("group/"+name, func() (string, *schemas.Failure) { return a.group(ctx, name) })
		if f != nil || why != "" {
			return why, f
		}
	}
	return "", nil
}

// pages reads a list to its end: IAM may give fewer than it was asked for although there are more, and the policy that
// matters may be the last.
func (a *account) pages(ctx context.Context, call awsapi.Call, read func(ctx context.Context, from *string) (more bool, next *string, err error)) *schemas.Failure {
	var next *string
	for range mostPages {
		var more bool
		if _, f := awsapi.Do(ctx, a.aws, call, func(ctx context.Context) (_ struct{}, err error) {
			from := next
			more, next, err = read(ctx, from)
			if err != nil {
				next = from // asked again with other credentials, perhaps
			}
			return struct{}{}, err
		}); f != nil {
			return f
		}
		if !more {
			return nil
		}
	}
	return schemas.Fail(schemas.CodeUnexpected, "%s at AWS IAM (%s): the list does not end", call.Doing, a.env.System)
}

// look describes a call that reads policies.
func (a *account) look(action, whose string) awsapi.Call {
	return awsapi.Call{Doing: "reading the policies of " + whose, Action: action}
}

// group tells which policy of a group makes administrators.
func (a *account) group(ctx context.Context, name string) (string, *schemas.Failure) {
	var attached []types.AttachedPolicy
	f := a.pages(ctx, a.look("iam:ListAttachedGroupPolicies", name), func(ctx context.Context, from *string) (bool, *string, error) {
		out, err := a.iam.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &name, MaxItems: aws.Int32(pageSize), Marker: from})
		if err != nil {
			return false, nil, err
		}
		attached = append(attached, out.AttachedPolicies...)
		return out.IsTruncated, out.Marker, nil
	})
	if f != nil {
		return "", f
	}
	if why, f := a.anyOf(ctx, attached); f != nil || why != "" {
		return beside(why, name), f
	}
	var inline []string
	f = a.pages(ctx, a.look("iam:ListGroupPolicies", name), func(ctx context.Context, from *string) (bool, *string, error) {
		out, err := a.iam.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: &name, MaxItems: aws.Int32(pageSize), Marker: from})
		if err != nil {
			return false, nil, err
		}
		inline = append(inline, out.PolicyNames...)
		return out.IsTruncated, out.Marker, nil
	})
	if f != nil {
		return "", f
	}
	for _, one := range inline {
		out, f := awsapi.Do(ctx, a.aws, a.look("iam:GetGroupPolicy", name), func(ctx context.Context) (*iam.GetGroupPolicyOutput, error) {
			return a.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &name, PolicyName: &one})
		})
		if f != nil {
			return "", f
		}
		if allPowerful(aws.ToString(out.PolicyDocument)) {
			return beside("the inline policy "+one+" makes an administrator", name), nil
		}
	}
	return "", nil
}

func beside(why, group string) string {
	if why == "" {
		return ""
	}
	return why + " (by the group " + group + ")"
}

// anyOf tells which of several attached policies makes administrators.
func (a *account) anyOf(ctx context.Context, attached []types.AttachedPolicy) (string, *schemas.Failure) {
	for _, p := range attached {
		arn, name := aws.ToString(p.PolicyArn), aws.ToString(p.PolicyName)
		switch {
		case strings.HasPrefix(name, adminPolicies[0]) || slices.Contains(adminPolicies, name):
			return "the policy " + name + " is attached", nil
		case strings.Contains(arn, ":iam::aws:policy/"): // another of AWS's own
			continue
		}
		why, f := a.policies.once(arn, func() (string, *schemas.Failure) { return a.managed(ctx, arn, name) })
		if f != nil || why != "" {
			return why, f
		}
	}
	return "", nil
}

// managed reads a customer's own policy.
func (a *account) managed(ctx context.Context, arn, name string) (string, *schemas.Failure) {
	head, f := awsapi.Do(ctx, a.aws, a.look("iam:GetPolicy", name), func(ctx context.Context) (*iam.GetPolicyOutput, error) {
		return a.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	})
	if f != nil {
		return "", f
	}
	if head.Policy == nil {
		return "", nil
	}
	out, f := awsapi.Do(ctx, a.aws, a.look("iam:GetPolicyVersion", name), func(ctx context.Context) (*iam.GetPolicyVersionOutput, error) {
		return a.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: head.Policy.DefaultVersionId})
	})
	if f != nil {
		return "", f
	}
	if out.PolicyVersion != nil && allPowerful(aws.ToString(out.PolicyVersion.Document)) {
		return "the attached policy " + name + " makes an administrator", nil
	}
	return "", nil
}
