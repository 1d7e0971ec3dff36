package awsiam

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/singleflight"

	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// IAM is asked by name, but a name may pass to somebody else. So names are only ever hints: whoever is found by one is
// compared by id, and the list of all users is read when the hint was wrong.

// The bounds of the list: an account has 5,000 users unless AWS was asked for more.
const (
	pageSize  = 1000
	mostPages = 50
)

// listLimit bounds the reading of the whole list, which callers share.
const listLimit = 60 * time.Second

// names remembers which name an id had when it was last seen.
type names struct {
	mu   sync.Mutex
	of   map[string]string
	list singleflight.Group
}

func newNames() *names { return &names{of: map[string]string{}} }

func (n *names) get(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[id]
}

func (n *names) keep(id, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[id] = name
}

// byID finds the user of an id: by the name it had, by the name in the identity, or by reading all.
func (a *account) byID(ctx context.Context, id schemas.Identity) (user, *schemas.Failure) {
	if _, f := a.aws.Caller(ctx); f != nil {
		return user{}, f
	}
	if !idForm.MatchString(id.ID) {
		return user{}, a.gone()
	}
	tried := ""
	for _, name := range []string{a.names.get(id.ID), id.Name} {
		if name == tried || !nameForm.MatchString(name) {
			continue
		}
		if u, f := a.named(ctx, name, id.ID); f != nil || u != nil {
			return deref(u), f
		}
		tried = name
	}
	if f := a.relist(ctx); f != nil {
		return user{}, f
	}
	if name := a.names.get(id.ID); name != "" && name != tried {
		if u, f := a.named(ctx, name, id.ID); f != nil || u != nil {
			return deref(u), f
		}
	}
	return user{}, a.gone()
}

func deref(u *user) user {
	if u == nil {
		return user{}
	}
	return *u
}

// named gives the user of a name if it has the id, and nil if somebody else has the name.
func (a *account) named(ctx context.Context, name, id string) (*user, *schemas.Failure) {
	u, f := a.get(ctx, name)
	if f != nil || u == nil || u.id != id {
		return nil, f
	}
	a.names.keep(id, name)
	return u, nil
}

// relist reads the list of all users and remembers their names. Many callers share one reading, which none of them takes
// away from the others by giving up.
func (a *account) relist(ctx context.Context) *schemas.Failure {
	answer := a.names.list.DoChan("", func() (any, error) {
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), listLimit)
		defer cancel()
		if f := a.each(free, func(u user) { a.names.keep(u.id, u.name) }); f != nil {
			return f, nil
		}
		return (*schemas.Failure)(nil), nil
	})
	select {
	case got := <-answer:
		f, _ := got.Val.(*schemas.Failure)
		return f
	case <-ctx.Done():
		return schemas.Fail(schemas.CodeTimedOut, "reading the list of users at AWS IAM (%s): no answer in time", a.env.System).Because(ctx.Err())
	}
}

// each calls for every user within the bounds, without tags, which the list does not show.
func (a *account) each(ctx context.Context, do func(user)) *schemas.Failure {
	var marker *string
	for range mostPages {
		out, f := awsapi.Do(ctx, a.aws, awsapi.Call{Doing: "reading the list of users", Action: "iam:ListUsers", Resource: a.everybody()},
			func(ctx context.Context) (*iam.ListUsersOutput, error) {
				return a.iam.ListUsers(ctx, &iam.ListUsersInput{Marker: marker, MaxItems: aws.Int32(pageSize), PathPrefix: a.onePath()})
			})
		if f != nil {
			return f
		}
		for i := range out.Users {
			if u := userOf(&out.Users[i]); a.within(u.path) {
				do(u)
			}
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return nil
		}
		marker = out.Marker
	}
	return schemas.Fail(schemas.CodeUnexpected, "reading the list of users at AWS IAM (%s): there are more than %d; name the account by its user name, "+
		"or bound the users by path_prefixes", a.env.System, pageSize*mostPages)
}

// onePath lets IAM do what within does, if there is one path only.
func (a *account) onePath() *string {
	if len(a.config.PathPrefixes) == 1 {
		return &a.config.PathPrefixes[0]
	}
	return nil
}

// everybody is the ARN that the right to read the list is given on.
func (a *account) everybody() string {
	return "arn:" + a.config.Partition() + ":iam::" + a.config.AccountID + ":user/*"
}
