// Package cognito resets the passwords of users in an Amazon Cognito user pool. The README beside it says what a reset means
// there, which rights it takes, and what it cannot do.
package cognito

import (
	_ "embed"
	"errors"
	"regexp"
	"strings"
	"time"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one user pool. All may be left out but user_pool_id and what says whose credentials are used:
//
//	user_pool_id: eu-central-1_AbCdEf123       # its region is the one before the underscore
//	access_key_id: AKIAIOSFODNN7EXAMPLE        # leave both out to take the credentials of the environment
//	secret_access_key: ${AWS_RESETD_SECRET}
//	# account_id: "123456789012"               # recommended: the credentials must belong to this account
//	# region: eu-central-1                     # need not be said: that of the pool
//	# role_arn: arn:aws:iam::123456789012:role/resetd   # assumed with these credentials
//	# external_id: resetd                      # what the role's trust policy asks for; with role_arn
//	# web_identity_token_file: token           # in place of the keys: the role is assumed with this token; with role_arn
//	# privileged_groups: [admins]              # groups of the pool whose members count as privileged
//	# endpoint: https://vpce-0123.cognito-idp.vpce.example.com   # in place of AWS's own addresses, STS's among them
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
type Config struct {
	awsapi.Settings `yaml:",inline"`

	// UserPoolID names the pool. Its beginning is the pool's region, which takes the place of an empty Region.
	UserPoolID string `yaml:"user_pool_id"`
	// PrivilegedGroups are groups whose members the guard is to hear of. Cognito itself has no administrators among users.
	PrivilegedGroups []string `yaml:"privileged_groups"`
}

//go:embed example.yaml
var example string

// settle is how long a change that was given up may still be under way: Cognito has no conditions that a change could be
// bound to.
const settle = 15 * time.Second

var (
	poolForm  = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})_[0-9A-Za-z]{1,55}$`)
	groupForm = regexp.MustCompile(`^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$`)
)

// Kind is "cognito".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "cognito", Example: example, Settle: settle, New: func() connectors.Config { return &Config{} }}
}

// Secrets lists the secret key.
func (c *Config) Secrets() []schemas.Secret { return c.Settings.Secrets() }

// settings are the common ones with the region that the pool is in.
func (c *Config) settings() awsapi.Settings {
	s := c.Settings
	if m := poolForm.FindStringSubmatch(c.UserPoolID); m != nil && s.Region == "" {
		s.Region = m[1]
	}
	return s
}

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var all []error
	set := c.settings()
	switch {
	case c.UserPoolID == "":
		all = append(all, connectors.Mistake("user_pool_id", "this is missing; write an id such as eu-central-1_AbCdEf123"))
	case !poolForm.MatchString(c.UserPoolID):
		all = append(all, connectors.Mistake("user_pool_id", "this is no user pool's id; it looks like eu-central-1_AbCdEf123"))
	case !strings.HasPrefix(c.UserPoolID, set.Region+"_"):
		all = append(all, connectors.Mistake("region", "the pool is in the region before the underscore of user_pool_id; remove this key"))
	}
	if set.Region == "" {
		set.Region = "us-east-1" // the pool's id was complained of already
	}
	all = append(all, set.Validate()...)
	for _, g := range c.PrivilegedGroups {
		if !groupForm.MatchString(g) {
			all = append(all, connectors.Mistake("privileged_groups", "%q is no name of a group; it has no spaces", g))
		}
	}
	return errors.Join(all...)
}

// Open makes the connector. It reads files but connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	s, err := awsapi.Open(c.settings(), env, "Amazon Cognito")
	if err != nil {
		return nil, err
	}
	return &pool{config: *c, env: env, aws: s, api: cip.NewFromConfig(s.Config), names: newNames()}, nil
}
