package awsiam_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/awsiam"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// firstPassword is what every account of the tests has at first.
const firstPassword = "First-Password-1"

// world is a moto with resetd's user in it.
type world struct {
	*testserver.MotoServer
	keys testserver.MotoKeys // of resetd's user, who has the rights in the README
	iam  *iam.Client         // the administrator's
	next atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := testserver.Moto(t)
	keys, err := s.User(t.Context(), "resetd", readmePolicy(t))
	if err != nil {
		t.Fatal(err)
	}
	return &world{MotoServer: s, keys: keys, iam: iam.NewFromConfig(s.SDK())}
}

// resources are what a policy is about.
var resources = regexp.MustCompile(`"Resource": ("[^"]*"|\[[^]]*\])`)

// readmePolicy is the policy that the README tells people to write, for all resources: moto knows IAM actions on "*" alone.
func readmePolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, policy, found := strings.Cut(string(text), "```json\n")
	if !found {
		t.Fatal("the README shows no policy")
	}
	policy, _, _ = strings.Cut(policy, "```")
	return resources.ReplaceAllString(policy, `"Resource": "*"`)
}

// settings are what an operator would write, with another endpoint.
func (w *world) settings(url string) *awsiam.Config {
	c := awsiam.Kind().New().(*awsiam.Config)
	c.AccountID, c.Endpoint, c.EmailTag = w.Account, url, "email"
	c.AccessKeyID, c.SecretAccessKey = w.keys.ID, schemas.NewSecret(w.keys.Secret)
	c.PathPrefixes = []string{"/people/"}
	return c
}

// unclosed makes a connector of valid settings.
func unclosed(t *testing.T, c *awsiam.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "aws"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func open(t *testing.T, c *awsiam.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

// add makes a user with a console password, unless it is "".
func (w *world) add(t *testing.T, name, password string, tags ...string) conformance.Person {
	t.Helper()
	in := &iam.CreateUserInput{UserName: &name, Path: aws.String("/people/")}
	for i := 0; i+1 < len(tags); i += 2 {
		in.Tags = append(in.Tags, types.Tag{Key: &tags[i], Value: &tags[i+1]})
	}
	out, err := w.iam.CreateUser(t.Context(), in)
	if err == nil && password != "" {
		_, err = w.iam.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: &name, Password: &password})
	}
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Person{Account: schemas.Account{Type: schemas.AccountUserName, Value: name}, ID: aws.ToString(out.User.UserId), Password: password}
}

// fresh makes a user that nobody has touched.
func (w *world) fresh(t *testing.T) conformance.Person {
	t.Helper()
	return w.add(t, fmt.Sprintf("person-%d", w.next.Add(1)), firstPassword)
}

// user reads a user past the connector.
func (w *world) user(t *testing.T, name string) testserver.MotoUser {
	t.Helper()
	u, err := w.IAMUser(t.Context(), name)
	if err != nil || u.Name == "" {
		t.Fatalf("the user %s: %v", name, err)
	}
	return u
}

// login is the console's sign-in, which moto does not have: the password is compared with the one that moto keeps.
func (w *world) login(t *testing.T, p conformance.Person, password string) conformance.Login {
	t.Helper()
	u := w.user(t, p.Account.Value)
	switch {
	case u.Password != password:
		return conformance.LoginRefused
	case u.MustReset:
		return conformance.LoginMustChange
	}
	return conformance.LoginAccepted
}

// rename gives a user another name.
func (w *world) rename(t *testing.T, p conformance.Person) conformance.Person {
	t.Helper()
	now := p
	now.Account.Value = "now-" + p.Account.Value
	if _, err := w.iam.UpdateUser(t.Context(), &iam.UpdateUserInput{UserName: &p.Account.Value, NewUserName: &now.Account.Value}); err != nil {
		t.Fatal(err)
	}
	return now
}

func identity(p conformance.Person) schemas.Identity {
	return schemas.Identity{ID: p.ID, Name: p.Account.Value}
}

// evidence reads what a worker would store.
func evidence(t *testing.T, c connectors.Connector, p conformance.Person) schemas.Evidence {
	t.Helper()
	class, err := c.Classify(t.Context(), identity(p))
	if err != nil {
		t.Fatal(err)
	}
	return class.Evidence
}

// wantCode fails the test unless the error is a Failure with one of the codes, and gives its detail.
func wantCode(t *testing.T, err error, codes ...schemas.Code) string {
	t.Helper()
	if !slices.Contains(codes, schemas.CodeOf(err)) {
		t.Errorf("code %s (%v), want one of %v", schemas.CodeOf(err), err, codes)
	}
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		return f.Detail
	}
	return ""
}
