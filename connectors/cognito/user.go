package cognito

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// user is a user of the pool. The user name never changes, but may be given anew after its user was deleted; sub is never
// given again.
type user struct {
	name, sub  string
	enabled    bool
	status     types.UserStatusType
	modified   time.Time
	attributes map[string]string
	factors    string // of multi-factor authentication
}

// get reads a user by user name, or by an alias, or by whatever else Cognito takes for one; nil if there is none. Callers
// must look at who was found.
func (p *pool) get(ctx context.Context, name string) (*user, *schemas.Failure) {
	out, f := awsapi.Do(ctx, p.aws, p.call("reading the user", "AdminGetUser"), func(ctx context.Context) (*cip.AdminGetUserOutput, error) {
		return p.api.AdminGetUser(ctx, &cip.AdminGetUserInput{UserPoolId: &p.config.UserPoolID, Username: &name})
	})
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	}
	u := &user{name: aws.ToString(out.Username), enabled: out.Enabled, status: out.UserStatus, modified: aws.ToTime(out.UserLastModifiedDate),
		attributes: attributesOf(out.UserAttributes), factors: aws.ToString(out.PreferredMfaSetting) + "," + strings.Join(out.UserMFASettingList, ",")}
	u.sub = u.attributes["sub"]
	if u.name == "" || u.sub == "" {
		return nil, schemas.Fail(schemas.CodeUnavailable, "reading the user at Amazon Cognito (%s): the answer names none", p.env.System)
	}
	return u, nil
}

func attributesOf(in []types.AttributeType) map[string]string {
	out := map[string]string{}
	for _, a := range in {
		out[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	return out
}

// mustChange tells whether the status lets nobody in before the password was changed.
func (u user) mustChange() bool {
	return u.status == types.UserStatusTypeForceChangePassword || u.status == types.UserStatusTypeResetRequired
}

// external tells whether the user signs in at another identity provider alone.
func (u user) external() bool { return u.status == types.UserStatusTypeExternalProvider }

// separator stands between the parts of a marker.
const separator = "|"

// evidence is what Cognito tells of the password. It has no time of the last change, but a time of the last modification
// of anything. So the marker holds the status, that time, and a sum of all that can be seen: if the time has moved and
// nothing that can be seen has, it was the password.
func (u user) evidence() schemas.Evidence {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%t %q", u.enabled, u.factors) // a hash takes everything
	for _, name := range slices.Sorted(maps.Keys(u.attributes)) {
		_, _ = fmt.Fprintf(sum, " %q=%q", name, u.attributes[name])
	}
	return schemas.Evidence{MustChange: u.mustChange(), Marker: strings.Join([]string{
		string(u.status), u.modified.UTC().Format("20060102T150405.000Z"), hex.EncodeToString(sum.Sum(nil)[:8])}, separator)}
}

// marker is an evidence's marker, taken apart.
type marker struct {
	status         types.UserStatusType
	modified, seen string
}

func markerOf(text string) marker {
	parts := append(strings.Split(text, separator), "", "")
	return marker{types.UserStatusType(parts[0]), parts[1], parts[2]}
}
