package awsiam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors/internal/alike"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one IAM user that is meant: by name for a user name or login, exactly and with its case; by the tag that
// email_tag names for an e-mail address; by either for what may be both; by UserId or ARN for an object id.
func (a *account) Resolve(ctx context.Context, what schemas.Account) (schemas.Identity, error) {
	if _, f := a.aws.Caller(ctx); f != nil {
		return schemas.Identity{}, f
	}
	var found []user
	var f *schemas.Failure
	switch what.Type {
	case schemas.AccountUserName, schemas.AccountLogin:
		found, f = a.byName(ctx, what.Value)
	case schemas.AccountEmail:
		if a.config.EmailTag == "" {
			return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound,
				"IAM users have no e-mail address; name the account by user name, or write the key of the tag that holds the address as email_tag of the system %s", a.env.System)
		}
		found, f = a.byEmail(ctx, what.Value)
	case schemas.AccountAddress:
		found, f = a.byAddress(ctx, what.Value)
	case schemas.AccountObjectID:
		found, f = a.byObject(ctx, what.Value)
	default:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound,
			"AWS IAM has no identifier of the type %s; name the account by user name, or by its UserId or ARN (object_id)", what.Type)
	}
	switch {
	case f != nil:
		return schemas.Identity{}, f
	case len(found) == 0:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "no IAM user of the account %s%s matches this %s", a.config.AccountID, a.where(), what.Type)
	case len(found) > 1:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountAmbiguous, "more than one IAM user of the account %s matches this %s; name the account by user name or UserId",
			a.config.AccountID, what.Type)
	}
	a.names.keep(found[0].id, found[0].name)
	return schemas.Identity{ID: found[0].id, Name: found[0].name}, nil
}

func (a *account) byName(ctx context.Context, name string) ([]user, *schemas.Failure) {
	if !nameForm.MatchString(name) {
		return nil, nil
	}
	u, f := a.get(ctx, name)
	if f != nil || u == nil {
		return nil, f
	}
	return []user{*u}, nil
}

// byAddress takes both meanings. One user with both counts once.
func (a *account) byAddress(ctx context.Context, value string) ([]user, *schemas.Failure) {
	found, f := a.byName(ctx, value)
	if f != nil || a.config.EmailTag == "" {
		return found, f
	}
	tagged, f := a.byEmail(ctx, value)
	for _, u := range tagged {
		if len(found) == 0 || found[0].id != u.id {
			found = append(found, u)
		}
	}
	return found, f
}

// byObject reads an object id: an ARN, whose last part is the name, or a UserId.
func (a *account) byObject(ctx context.Context, value string) ([]user, *schemas.Failure) {
	head := "arn:" + a.config.Partition() + ":iam::" + a.config.AccountID + ":"
	if strings.HasPrefix(value, "arn:") {
		if value == head+"root" {
			return nil, schemas.Fail(schemas.CodeAccountNotFound, "this is the root user of the account, whose password no API can reset; it is changed at the root user's own sign-in page")
		}
		_, name, _ := strings.Cut(value, ":user/")
		found, f := a.byName(ctx, name[strings.LastIndexByte(name, '/')+1:])
		if len(found) == 1 && found[0].arn != value {
			found = nil
		}
		return found, f
	}
	u, f := a.byID(ctx, schemas.Identity{ID: value})
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	}
	return []user{u}, nil
}

// byEmail reads all users with their tags, which GetAccountAuthorizationDetails alone shows for many at once. Addresses are
// compared without regard to case. It stops at the second match.
func (a *account) byEmail(ctx context.Context, address string) (found []user, _ *schemas.Failure) {
	var marker *string
	for range mostPages {
		out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the tags of all users", Action: "iam:GetAccountAuthorizationDetails"},
			func(ctx context.Context) (*iam.GetAccountAuthorizationDetailsOutput, error) {
				return a.iam.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{
					Filter: []types.EntityType{types.EntityTypeUser}, Marker: marker, MaxItems: aws.Int32(pageSize)})
			})
		if f != nil {
			return nil, f
		}
		for _, d := range out.UserDetailList {
			u := userOf(&types.User{Arn: d.Arn, Path: d.Path, UserId: d.UserId, UserName: d.UserName, Tags: d.Tags})
			a.names.keep(u.id, u.name)
			if a.within(u.path) && alike.Names(u.tags[a.config.EmailTag], address) {
				found = append(found, u)
			}
		}
		if len(found) > 1 || !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return found, nil
		}
		marker = out.Marker
	}
	return nil, schemas.Fail(schemas.CodeUnexpected, "reading the tags of all users at AWS IAM (%s): there are more than %d users; name the account by its user name",
		a.env.System, pageSize*mostPages)
}
