package entra

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
)

// addresses is where a national cloud answers
// (https://learn.microsoft.com/graph/deployments, https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud).
type addresses struct{ graph, authority string }

var clouds = map[string]addresses{
	"global": {"https://graph.microsoft.com/v1.0", "https://login.microsoftonline.com"},
	"usgov":  {"https://graph.microsoft.us/v1.0", "https://login.microsoftonline.us"},
	"usdod":  {"https://dod-graph.microsoft.us/v1.0", "https://login.microsoftonline.us"},
	"china":  {"https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.partner.microsoftonline.cn"},
}

var (
	guidForm   = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	tenantForm = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// Validate tells everything that is wrong.
func (c *Config) Validate() error {
	var all []error
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	if !guidForm.MatchString(c.TenantID) && !tenantForm.MatchString(c.TenantID) {
		add(connectors.Mistake("tenant_id", "write the tenant's id (a GUID) or one of its domains, such as contoso.onmicrosoft.com; common and organizations name no tenant"))
	}
	if !guidForm.MatchString(c.ClientID) && (c.ClientID != "" || !c.ManagedIdentity) {
		add(connectors.Mistake("client_id", "write the application (client) id of the app registration, a GUID"))
	}
	add(c.credential())
	if _, known := clouds[c.Cloud]; !known {
		add(connectors.Mistake("cloud", "write one of global, usgov, usdod, china"))
	}
	if c.BaseURL != "" {
		add(rest.CheckURL("base_url", c.BaseURL))
	}
	if c.AuthorityURL != "" {
		add(rest.CheckURL("authority_url", c.AuthorityURL))
		if strings.HasPrefix(c.AuthorityURL, "http:") { // azidentity takes no other
			add(connectors.Mistake("authority_url", "the token server must be https://"))
		}
	}
	return errors.Join(all...)
}

// credential tells whether there is exactly one.
func (c *Config) credential() error {
	var given []string
	for _, one := range []struct {
		key string
		set bool
	}{{"client_secret", !c.ClientSecret.Empty()}, {"certificate", c.Certificate != ""},
		{"federated_token_file", c.FederatedTokenFile != ""}, {"managed_identity", c.ManagedIdentity}} {
		if one.set {
			given = append(given, one.key)
		}
	}
	switch len(given) {
	case 0:
		return connectors.Mistake("client_secret", "there is no credential; give client_secret, certificate, federated_token_file or managed_identity")
	case 1:
		return nil
	}
	return connectors.Mistake(given[1], "%s is set too; keep one of them", given[0])
}

// addresses gives Graph's base and the token server.
func (c *Config) addresses() (graph, authority string) {
	at := clouds[c.Cloud]
	if c.BaseURL != "" {
		at.graph = c.BaseURL
	}
	if c.AuthorityURL != "" {
		at.authority = c.AuthorityURL
	}
	return strings.TrimRight(at.graph, "/"), strings.TrimRight(at.authority, "/")
}

// scope is what a token is asked for: everything that was granted on the host of Graph.
func scope(graph string) string {
	u, err := url.Parse(graph)
	if err != nil {
		return graph + "/.default"
	}
	return u.Scheme + "://" + u.Host + "/.default"
}
