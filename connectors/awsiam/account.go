package awsiam

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// account is an AWS account and its IAM users.
type account struct {
	config   Config
	env      connectors.Env
	aws      *awsapi.Session
	iam      *iam.Client
	names    *names
	policies *verdicts
}

// Close lets go of connections that lie idle.
func (a *account) Close() error { return a.aws.Close() }

var (
	// nameForm is what IAM allows in a user's name (IAM API reference, CreateUser).
	nameForm = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	// idForm is what IAM's ids look like (AIDA…); emulators leave the prefix out.
	idForm = regexp.MustCompile(`^[A-Za-z0-9_]{16,128}$`)
)

// user is an IAM user with the console password's state.
type user struct {
	id, name, arn, path string
	tags                map[string]string
	profile             *types.LoginProfile // nil without a console password
}

// evidence is what AWS tells of the password: since when there is one, whether it must be changed, and what resetd noted
// beside it. AWS does not tell when it was last set (CreateDate stays that of the first password), so
// PasswordChangedAt stays empty. The time of the last log-in says nothing of the password and is left out.
func (u user) evidence() schemas.Evidence {
	if u.profile == nil {
		return schemas.Evidence{}
	}
	must := u.profile.PasswordResetRequired
	return schemas.Evidence{MustChange: must, Marker: aws.ToTime(u.profile.CreateDate).UTC().Format("20060102T150405.000Z") + separator + noted(u.tags[markTag], must)}
}

// separator stands between the two parts of a marker: when the first password was set, and resetd's own note.
const separator = "|"

// read gives the user of an id, by whatever name it has now, and the state of the password.
func (a *account) read(ctx context.Context, id schemas.Identity) (user, *schemas.Failure) {
	u, f := a.byID(ctx, id)
	if f != nil {
		return u, f
	}
	u.profile, f = a.profile(ctx, u)
	return u, f
}

// get reads a user by name. A user that is not there, or outside of path_prefixes, gives nil.
func (a *account) get(ctx context.Context, name string) (*user, *schemas.Failure) {
	out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the user", Action: "iam:GetUser", Resource: a.everybody()},
		func(ctx context.Context) (*iam.GetUserOutput, error) {
			return a.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		})
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	case out.User == nil:
		return nil, schemas.Fail(schemas.CodeUnavailable, "reading the user at AWS IAM (%s): the answer names none", a.env.System)
	}
	u := userOf(out.User)
	if u.name != name || !a.within(u.path) {
		return nil, nil
	}
	return &u, nil
}

func userOf(in *types.User) user {
	u := user{id: aws.ToString(in.UserId), name: aws.ToString(in.UserName), arn: aws.ToString(in.Arn), path: aws.ToString(in.Path), tags: map[string]string{}}
	for _, t := range in.Tags {
		u.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return u
}

// profile reads the state of the console password; nil if there is none.
func (a *account) profile(ctx context.Context, u user) (*types.LoginProfile, *schemas.Failure) {
	out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the console password's state of " + u.name, Action: "iam:GetLoginProfile", Resource: a.everybody()},
		func(ctx context.Context) (*iam.GetLoginProfileOutput, error) {
			return a.iam.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &u.name})
		})
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	}
	return out.LoginProfile, nil
}

// within tells whether users with this path may be found and touched.
func (a *account) within(path string) bool {
	return len(a.config.PathPrefixes) == 0 || slices.ContainsFunc(a.config.PathPrefixes, func(p string) bool { return strings.HasPrefix(path, p) })
}

// users is the ARN of the users that resetd is meant for, as it belongs into a policy.
func (a *account) users() string {
	path := "/"
	if len(a.config.PathPrefixes) > 0 {
		path = a.config.PathPrefixes[0]
	}
	return "arn:" + a.config.Partition() + ":iam::" + a.config.AccountID + ":user" + path + "*"
}

// gone is the failure for an id that no user has.
func (a *account) gone() *schemas.Failure {
	return schemas.Fail(schemas.CodeAccountNotFound, "no IAM user of the account %s%s has this id", a.config.AccountID, a.where())
}

// where names the bound on paths, for messages.
func (a *account) where() string {
	if len(a.config.PathPrefixes) == 0 {
		return ""
	}
	return " below " + strings.Join(a.config.PathPrefixes, ", ")
}
