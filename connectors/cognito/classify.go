package cognito

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// statusWords say what a status means (Cognito API reference, UserType).
var statusWords = map[types.UserStatusType]string{
	types.UserStatusTypeConfirmed:           "confirmed",
	types.UserStatusTypeUnconfirmed:         "registered, but the registration was never confirmed",
	types.UserStatusTypeArchived:            "archived",
	types.UserStatusTypeCompromised:         "locked by Cognito for a threat (COMPROMISED)",
	types.UserStatusTypeUnknown:             "in a state that Cognito does not know itself",
	types.UserStatusTypeResetRequired:       "must recover the password before the next sign-in",
	types.UserStatusTypeForceChangePassword: "has a temporary password that must be changed at the next sign-in",
	types.UserStatusTypeExternalProvider:    "signs in at another identity provider alone (EXTERNAL_PROVIDER)",
}

// Classify reads the user. Whoever signs in at another identity provider alone is federated; a native user that is linked
// with one has a password here all the same.
func (p *pool) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	u, f := p.bySub(ctx, id.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	class := schemas.Class{Origin: schemas.OriginNative, Enabled: u.enabled, Evidence: u.evidence(), Why: statusWords[u.status]}
	switch {
	case u.external():
		class.Origin = schemas.OriginFederated
	case u.attributes["identities"] != "":
		class.Why += "; linked with another identity provider, whose sign-in a reset does not touch"
	}
	if class.Why == "" {
		class.Why = "the status " + string(u.status)
	}
	if !u.enabled {
		class.Why += "; disabled"
	}
	if len(p.config.PrivilegedGroups) > 0 {
		group, f := p.privileged(ctx, u)
		if f != nil {
			return schemas.Class{}, f
		}
		if group != "" {
			class.Privileged, class.Why = true, class.Why+"; member of the group "+group
		}
	}
	return class, nil
}

// privileged gives the first of privileged_groups that a user is in; empty for none.
func (p *pool) privileged(ctx context.Context, u user) (string, *schemas.Failure) {
	in := &cip.AdminListGroupsForUserInput{UserPoolId: &p.config.UserPoolID, Username: &u.name}
	for range mostPages {
		out, f := awsapi.Do(ctx, p.aws, p.call("reading the user's groups", "AdminListGroupsForUser"),
			func(ctx context.Context) (*cip.AdminListGroupsForUserOutput, error) {
				return p.api.AdminListGroupsForUser(ctx, in)
			})
		if f != nil {
			return "", f
		}
		for _, g := range out.Groups {
			if name := aws.ToString(g.GroupName); slices.Contains(p.config.PrivilegedGroups, name) {
				return name, nil
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return "", nil
		}
		in.NextToken = out.NextToken
	}
	return "", schemas.Fail(schemas.CodeUnexpected, "reading the groups of %s at Amazon Cognito (%s): the list does not end", u.name, p.env.System)
}
