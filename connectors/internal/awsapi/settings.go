package awsapi

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Settings are the keys that every kind of AWS system has. Without a key pair, credentials come from where the SDK looks:
// the environment, the shared files, a container's or the machine's role.
type Settings struct {
	// Region is where calls go and what they are signed for; the partition (China, GovCloud) follows from it.
	Region string `yaml:"region"`
	// AccountID is the account that the credentials must belong to. With others nothing is read or changed.
	AccountID string `yaml:"account_id"`

	// AccessKeyID and SecretAccessKey are a user's long-term keys.
	AccessKeyID     string         `yaml:"access_key_id"`
	SecretAccessKey schemas.Secret `yaml:"secret_access_key"`

	// RoleARN is a role that is assumed with the credentials, or with the token in WebIdentityTokenFile in their place.
	RoleARN              string `yaml:"role_arn"`
	ExternalID           string `yaml:"external_id"`
	WebIdentityTokenFile string `yaml:"web_identity_token_file" path:"file"`

	// Endpoint takes the place of AWS's own addresses, for a VPC endpoint or an emulator. STS is asked there too.
	Endpoint string `yaml:"endpoint"`
	// TLSCA takes the place of the machine's own authorities, it does not add to them.
	TLSCA string `yaml:"tls_ca" path:"file"`
}

var (
	regionForm  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	roleForm    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$`)
	// keyForm is loose on purpose: emulators give keys of other lengths.
	keyForm = regexp.MustCompile(`^[A-Za-z0-9_]{4,128}$`)
)

// Validate gives every mistake, each a *connectors.ConfigError.
func (s *Settings) Validate() []error {
	var all []error
	add := func(key, text string) { all = append(all, connectors.Mistake(key, "%s", text)) }
	if !regionForm.MatchString(s.Region) {
		add("region", "this is no region; write one such as eu-central-1")
	}
	if s.AccountID != "" && !accountForm.MatchString(s.AccountID) {
		add("account_id", `this is no account; write its twelve digits in quotes: "123456789012"`)
	}
	switch {
	case s.AccessKeyID == "" && !s.SecretAccessKey.Empty():
		add("access_key_id", "this is missing beside secret_access_key; write both, or neither to take the credentials of the environment")
	case s.AccessKeyID != "" && !keyForm.MatchString(s.AccessKeyID):
		add("access_key_id", "this is no access key id; it looks like AKIAIOSFODNN7EXAMPLE")
	case s.AccessKeyID != "" && s.SecretAccessKey.Empty():
		add("secret_access_key", "this is missing beside access_key_id")
	}
	if s.RoleARN != "" && !roleForm.MatchString(s.RoleARN) {
		add("role_arn", "this is no role; write one such as arn:aws:iam::123456789012:role/resetd")
	}
	if s.RoleARN == "" && s.ExternalID != "" {
		add("external_id", "this has no effect without role_arn")
	}
	if s.WebIdentityTokenFile != "" {
		switch {
		case s.RoleARN == "":
			add("role_arn", "this is missing beside web_identity_token_file")
		case s.AccessKeyID != "":
			add("web_identity_token_file", "access_key_id is set too; keep one of the two")
		case s.ExternalID != "":
			add("external_id", "a role that is assumed by a web identity has none; remove it")
		}
	}
	if s.Endpoint != "" {
		if err := rest.CheckURL("endpoint", s.Endpoint); err != nil {
			all = append(all, err)
		} else if u, _ := url.Parse(s.Endpoint); strings.Trim(u.Path, "/") != "" {
			add("endpoint", "an endpoint has no path; write one such as https://vpce-0123.iam.vpce.example.com")
		}
	}
	return all
}

// Secrets lists the secret key.
func (s *Settings) Secrets() []schemas.Secret {
	if s.SecretAccessKey.Empty() {
		return nil
	}
	return []schemas.Secret{s.SecretAccessKey}
}

// Partition gives the group of regions that ARNs begin with: aws, aws-cn, aws-us-gov and so on.
func (s *Settings) Partition() string {
	for _, one := range [][2]string{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"},
		{"eu-isoe-", "aws-iso-e"}, {"us-iso-", "aws-iso"}, {"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(s.Region, one[0]) {
			return one[1]
		}
	}
	return "aws"
}
