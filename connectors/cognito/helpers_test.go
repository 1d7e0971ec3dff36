package cognito_test

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
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/cognito"
	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// firstPassword is what every user of the tests has at first.
const firstPassword = "First-Password-1"

// world is a moto with resetd's user and a user pool in it.
type world struct {
	*testserver.MotoServer
	keys         testserver.MotoKeys // of resetd's user, who has the rights in the README
	api          *cip.Client         // the administrator's
	pool, client string
	next         atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := testserver.Moto(t)
	keys, err := s.User(t.Context(), "resetd", readmePolicy(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{MotoServer: s, keys: keys, api: cip.NewFromConfig(s.SDK())}
	w.pool, w.client = w.newPool(t, &cip.CreateUserPoolInput{PoolName: aws.String("people")})
	return w
}

// newPool makes a user pool with a client that may sign users in.
func (w *world) newPool(t *testing.T, in *cip.CreateUserPoolInput) (pool, client string) {
	t.Helper()
	made, err := w.api.CreateUserPool(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.api.CreateUserPoolClient(t.Context(), &cip.CreateUserPoolClientInput{UserPoolId: made.UserPool.Id, ClientName: aws.String("app"),
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth}})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(made.UserPool.Id), aws.ToString(app.UserPoolClient.ClientId)
}

// resources are what a policy is about.
var resources = regexp.MustCompile(`"Resource": "[^"]*"`)

// readmePolicy is the policy that the README tells people to write, for the tests' pools.
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
func (w *world) settings(url string) *cognito.Config {
	c := cognito.Kind().New().(*cognito.Config)
	c.UserPoolID, c.AccountID, c.Endpoint = w.pool, w.Account, url
	c.AccessKeyID, c.SecretAccessKey = w.keys.ID, schemas.NewSecret(w.keys.Secret)
	return c
}

// unclosed makes a connector of valid settings.
func unclosed(t *testing.T, c *cognito.Config) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := c.Open(connectors.Env{System: "customers"})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func open(t *testing.T, c *cognito.Config) connectors.Connector {
	t.Helper()
	got := unclosed(t, c)
	t.Cleanup(func() { _ = got.Close() })
	return got
}

// add makes a confirmed user with a password and attributes.
func (w *world) add(t *testing.T, name string, attributes ...string) conformance.Person {
	t.Helper()
	in := &cip.AdminCreateUserInput{UserPoolId: &w.pool, Username: &name, MessageAction: types.MessageActionTypeSuppress}
	for i := 0; i+1 < len(attributes); i += 2 {
		in.UserAttributes = append(in.UserAttributes, types.AttributeType{Name: &attributes[i], Value: &attributes[i+1]})
	}
	out, err := w.api.AdminCreateUser(t.Context(), in)
	if err == nil {
		_, err = w.api.AdminSetUserPassword(t.Context(), &cip.AdminSetUserPasswordInput{UserPoolId: &w.pool, Username: out.User.Username,
			Password: aws.String(firstPassword), Permanent: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	p := conformance.Person{Account: schemas.Account{Type: schemas.AccountUserName, Value: aws.ToString(out.User.Username)}, Password: firstPassword}
	for _, a := range out.User.Attributes {
		if aws.ToString(a.Name) == "sub" {
			p.ID = aws.ToString(a.Value)
		}
	}
	return p
}

// fresh makes a user with a verified address that nobody has touched.
func (w *world) fresh(t *testing.T) conformance.Person {
	t.Helper()
	name := fmt.Sprintf("person-%d", w.next.Add(1))
	return w.add(t, name, "email", name+"@example.com", "email_verified", "true")
}

// status reads a user's status past the connector.
func (w *world) status(t *testing.T, name string) types.UserStatusType {
	t.Helper()
	out, err := w.api.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &w.pool, Username: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.UserStatus
}

// login signs in at the pool.
func (w *world) login(t *testing.T, p conformance.Person, password string) conformance.Login {
	t.Helper()
	out, err := w.signIn(t, p.Account.Value, password)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "NotAuthorizedException":
		return conformance.LoginRefused
	case err != nil:
		t.Fatalf("signing in as %s: %v", p.Account.Value, err)
	case out.ChallengeName == types.ChallengeNameTypeNewPasswordRequired && w.status(t, p.Account.Value) == types.UserStatusTypeResetRequired:
		// moto asks for a new password here; AWS answers PasswordResetRequiredException and lets nobody in.
		return conformance.LoginRefused
	case out.ChallengeName == types.ChallengeNameTypeNewPasswordRequired:
		return conformance.LoginMustChange
	}
	return conformance.LoginAccepted
}

func (w *world) signIn(t *testing.T, name, password string) (*cip.AdminInitiateAuthOutput, error) {
	t.Helper()
	return w.api.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{UserPoolId: &w.pool, ClientId: &w.client,
		AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password}})
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
