package okta

import (
	"errors"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
)

// attributeForm is the name of a profile attribute, as Okta's Profile Editor takes it for a variable name.
var attributeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var all []error
	add := func(key, format string, args ...any) { all = append(all, connectors.Mistake(key, format, args...)) }
	if err := rest.CheckURL("org_url", c.OrgURL); err != nil {
		all = append(all, err)
	} else if u, _ := url.Parse(c.OrgURL); strings.Trim(u.Path, "/") != "" {
		add("org_url", "this has a path; write the address of the org alone, such as https://example.okta.com")
	} else if name, rest, _ := strings.Cut(u.Hostname(), "."); strings.HasSuffix(name, "-admin") && strings.HasPrefix(rest, "okta") {
		add("org_url", "this is the address of the Admin Console, where the API is not; write https://%s.%s", strings.TrimSuffix(name, "-admin"), rest)
	}
	for _, one := range [][2]string{{"source_attribute", c.SourceAttribute}, {"sid_attribute", c.SIDAttribute}, {"down_level_attribute", c.DownLevelAttribute}} {
		if one[1] != "" && !attributeForm.MatchString(one[1]) {
			add(one[0], "this is no profile attribute; write its variable name from the Profile Editor, such as objectGuid")
		}
	}
	all = append(all, c.credentials()...)
	return errors.Join(all...)
}

// credentials tells what is wrong with how resetd is to sign in.
func (c *Config) credentials() (all []error) {
	add := func(key, format string, args ...any) { all = append(all, connectors.Mistake(key, format, args...)) }
	text, file := !c.PrivateKey.Empty(), c.PrivateKeyFile != ""
	switch app := c.ClientID != "" || text || file || c.KeyID != ""; {
	case !app && c.APIToken.Empty():
		add("api_token", "this is missing; give an API token, or client_id and private_key of a service app")
	case app && !c.APIToken.Empty():
		add("api_token", "client_id, private_key, private_key_file or key_id is set too; sign in one way or the other")
	case !app:
	case c.ClientID == "":
		add("client_id", "this is missing; it stands on the page of the service app in the Admin Console")
	case text && file:
		add("private_key_file", "private_key is set too; keep one of the two")
	case !text && !file:
		add("private_key", "this is missing; give the private key of the service app as PEM or JWK, or its file as private_key_file")
	case text:
		if _, err := readKey("private_key", c.PrivateKey.Reveal(), c.KeyID); err != nil {
			all = append(all, err)
		}
	}
	return all
}

// key reads the private key, wherever it stands.
func (c *Config) key() (signer, error) {
	if c.PrivateKeyFile == "" {
		return readKey("private_key", c.PrivateKey.Reveal(), c.KeyID)
	}
	text, err := os.ReadFile(c.PrivateKeyFile)
	if err != nil {
		return nil, connectors.Mistake("private_key_file", "the file cannot be read: %w", err)
	}
	return readKey("private_key_file", string(text), c.KeyID)
}
