package awsapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/resetd/resetd/schemas"
)

// Caller is whom the credentials belong to.
type Caller struct {
	Account, ARN string
	// UserID is the immutable id of a user; of an assumed role it is the role's id with the session's name behind a colon.
	UserID string

	key string // the access key that this was learned with
}

// Root tells whether the credentials are those of the account itself.
func (c Caller) Root() bool { return strings.HasSuffix(c.ARN, ":root") }

// Caller asks STS whom the credentials belong to, once for each access key, and refuses those of another account than
// account_id (bad_credentials). STS lets everybody ask that.
func (s *Session) Caller(ctx context.Context) (Caller, *schemas.Failure) {
	creds, f := s.credentials(ctx)
	if f != nil {
		return Caller{}, f
	}
	s.mu.Lock()
	known := s.caller
	s.mu.Unlock()
	if known.key == creds.AccessKeyID {
		return known, nil
	}
	got, f := Do(ctx, s, Call{Doing: "asking whom the credentials belong to", Action: "sts:GetCallerIdentity"},
		func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
			return s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		})
	if f != nil {
		return Caller{}, f
	}
	c := Caller{Account: aws.ToString(got.Account), ARN: aws.ToString(got.Arn), UserID: aws.ToString(got.UserId), key: creds.AccessKeyID}
	if s.Settings.AccountID != "" && c.Account != s.Settings.AccountID {
		return Caller{}, schemas.Fail(schemas.CodeBadCredentials,
			"the credentials of the system %s belong to the AWS account %s, and account_id says %s; nothing was read or changed; correct one of the two",
			s.System, c.Account, s.Settings.AccountID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caller = c
	return c, nil
}
