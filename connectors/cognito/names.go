package cognito

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/resetd/resetd/connectors/internal/alike"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

var (
	// nameForm is what Cognito takes as a user name (Cognito API reference, AdminGetUser).
	nameForm = regexp.MustCompile(`^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$`)
	// subForm is a UUID, which is what the attribute sub holds.
	subForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// mostPages bounds how long a filtered list is followed: Cognito may give pages with fewer matches than there are.
const mostPages = 20

// names remembers the user name of a sub. They are hints: whoever is found is compared by sub.
type names struct {
	mu sync.Mutex
	of map[string]string
}

func newNames() *names { return &names{of: map[string]string{}} }

func (n *names) get(sub string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[sub]
}

func (n *names) keep(sub, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[sub] = name
}

// bySub finds the user of a sub: by the user name that it had, or in the list.
func (p *pool) bySub(ctx context.Context, sub string) (user, *schemas.Failure) {
	if _, f := p.aws.Caller(ctx); f != nil {
		return user{}, f
	}
	gone := schemas.Fail(schemas.CodeAccountNotFound, "no user of the pool %s has this sub", p.config.UserPoolID)
	if !subForm.MatchString(sub) {
		return user{}, gone
	}
	if name := p.names.get(sub); name != "" {
		u, f := p.get(ctx, name)
		if f != nil {
			return user{}, f
		}
		if u != nil && u.sub == sub {
			return *u, nil
		}
	}
	found, f := p.list(ctx, "sub", sub)
	if f != nil {
		return user{}, f
	}
	for _, name := range found {
		u, f := p.get(ctx, name)
		if f != nil {
			return user{}, f
		}
		if u != nil && u.sub == sub {
			p.names.keep(sub, u.name)
			return *u, nil
		}
	}
	return user{}, gone
}

// list gives the user names of those whose attribute has the value, two at most. The value is quoted for the filter's own
// language, and compared again: what the filter takes for a match need not be one.
func (p *pool) list(ctx context.Context, attribute, value string) (found []string, _ *schemas.Failure) {
	r, f := p.described(ctx)
	if f != nil {
		return nil, f
	}
	filter := attribute + ` = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	in := &cip.ListUsersInput{UserPoolId: &p.config.UserPoolID, Filter: &filter, Limit: aws.Int32(2)}
	for range mostPages {
		out, f := awsapi.Do(ctx, p.aws, p.call("looking for the user", "ListUsers"), func(ctx context.Context) (*cip.ListUsersOutput, error) { return p.api.ListUsers(ctx, in) })
		switch {
		case f != nil && f.Code == schemas.CodeConflict: // a value that no user can have
			return nil, nil
		case f != nil:
			return nil, f
		}
		for _, one := range out.Users {
			if r.same(attributesOf(one.Attributes)[attribute], value) {
				found = append(found, aws.ToString(one.Username))
			}
		}
		if len(found) > 1 || aws.ToString(out.PaginationToken) == "" {
			return found, nil
		}
		in.PaginationToken = out.PaginationToken
	}
	return nil, schemas.Fail(schemas.CodeUnexpected, "looking for the user at Amazon Cognito (%s): the list does not end; name the user by user name or sub", p.env.System)
}

// same compares two names as the pool does.
func (r rules) same(a, b string) bool { return a == b || r.anyCase && alike.Names(a, b) }
