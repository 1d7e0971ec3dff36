// Package awsiam resets the console passwords of IAM users in an AWS account. The README beside it says what a reset means
// there, which rights it takes, and what it cannot do.
package awsiam

import (
	_ "embed"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/schemas"
)

// Config is the settings of one account. All may be left out but what says whose credentials are used:
//
//	account_id: "123456789012"                 # the credentials must belong to this account
//	access_key_id: AKIAIOSFODNN7EXAMPLE        # leave both out to take the credentials of the environment
//	secret_access_key: ${AWS_RESETD_SECRET}
//	# region: us-east-1                        # any region of the partition: cn-north-1 for China, us-gov-west-1 for GovCloud
//	# role_arn: arn:aws:iam::123456789012:role/resetd   # assumed with these credentials
//	# external_id: resetd                      # what the role's trust policy asks for; with role_arn
//	# web_identity_token_file: token           # in place of the keys: the role is assumed with this token; with role_arn
//	# path_prefixes: [/people/]                # users below other paths are not found
//	# email_tag: email                         # the tag that holds a user's e-mail address; left out: e-mail addresses are not found
//	# deny_older_sessions: true                # revoke: an inline policy that refuses older sessions
//	# deactivate_access_keys: false            # revoke: switch off the user's access keys too
//	# endpoint: https://vpce-0123.iam.vpce.example.com   # in place of AWS's own addresses, STS's among them
//	# tls_ca: ca.pem                           # PEM; the machine's own authorities when left out
type Config struct {
	awsapi.Settings `yaml:",inline"`

	// PathPrefixes bounds the users that are found or touched; none is no bound.
	PathPrefixes []string `yaml:"path_prefixes"`
	// EmailTag is the key of the tag that an e-mail address is looked up by. Without it e-mail addresses are not found.
	EmailTag string `yaml:"email_tag"`

	// DenyOlderSessions and DeactivateAccessKeys are what Revoke does.
	DenyOlderSessions    bool `yaml:"deny_older_sessions"`
	DeactivateAccessKeys bool `yaml:"deactivate_access_keys"`
}

//go:embed example.yaml
var example string

// settle is how long a change that was given up may still be under way. IAM answers within seconds and copies changes to
// all regions within a few more; it has no conditions that a change could be bound to.
const settle = 15 * time.Second

// Kind is "awsiam".
func Kind() connectors.Kind {
	return connectors.Kind{Name: "awsiam", Example: example, Settle: settle, New: func() connectors.Config {
		return &Config{Settings: awsapi.Settings{Region: "us-east-1"}, DenyOlderSessions: true}
	}}
}

// Secrets lists the secret key.
func (c *Config) Secrets() []schemas.Secret { return c.Settings.Secrets() }

// Open makes the connector. It reads files but connects to nothing.
func (c *Config) Open(env connectors.Env) (connectors.Connector, error) {
	s, err := awsapi.Open(c.Settings, env, "AWS IAM")
	if err != nil {
		return nil, err
	}
	return &account{config: *c, env: env, aws: s, iam: iam.NewFromConfig(s.Config), names: newNames(), policies: newVerdicts()}, nil
}
