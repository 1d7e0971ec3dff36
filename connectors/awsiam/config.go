package awsiam

import (
	"errors"
	"regexp"

	"github.com/resetd/resetd/connectors"
)

var (
	// pathForm is a path that ends with a slash, as IAM demands (IAM API reference, CreateUser, Path).
	pathForm = regexp.MustCompile(`^/([\x21-\x2e\x30-\x7e]+/)*$`)
	tagForm  = regexp.MustCompile(`^[\p{L}\p{N} _.:/=+@-]{1,128}$`)
)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	all := c.Settings.Validate()
	if c.AccountID == "" {
		all = append(all, connectors.Mistake("account_id", `this is missing; write the twelve digits of the account in quotes: "123456789012"`))
	}
	for _, path := range c.PathPrefixes {
		if len(path) > 512 || !pathForm.MatchString(path) {
			all = append(all, connectors.Mistake("path_prefixes", "%q is no path; it begins and ends with a slash, such as /people/", path))
		}
	}
	if c.EmailTag != "" && !tagForm.MatchString(c.EmailTag) {
		all = append(all, connectors.Mistake("email_tag", "this is no key of a tag; write one such as email"))
	}
	if c.EmailTag == markTag {
		all = append(all, connectors.Mistake("email_tag", "%s is the tag that resetd itself writes; name another", markTag))
	}
	return errors.Join(all...)
}
