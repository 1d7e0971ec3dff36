package entra

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// signIn fetches tokens for the tenant.
type signIn struct {
	make   func(azcore.ClientOptions) (azcore.TokenCredential, error)
	scope  string
	host   string // the token server, for messages and as azidentity's authority
	system string
	http   *http.Client
	until  time.Time // when the certificate ends; zero without one

	mu   sync.Mutex
	last claims
	at   time.Time // when the last token came
}

// signIn reads what the settings name and prepares the credential.
func (c *Config) signIn(authority, system string) (*signIn, error) {
	graph, _ := c.addresses()
	s := &signIn{scope: scope(graph), host: authority, system: system}
	switch {
	case !c.ClientSecret.Empty():
		s.make = func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(c.TenantID, c.ClientID, c.ClientSecret.Reveal(),
				&azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}
	case c.Certificate != "":
		return s, s.useCertificate(c)
	case c.FederatedTokenFile != "":
		s.make = func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			text, err := os.ReadFile(c.FederatedTokenFile) // anew each time: whoever issues the token replaces it
			assertion := strings.TrimSpace(string(text))
			if err != nil || assertion == "" {
				return nil, schemas.Fail(schemas.CodeBadCredentials, "signing in at %s (%s): federated_token_file cannot be read or is empty; "+
					"see whether the platform still writes it", authority, system).Because(err)
			}
			return azidentity.NewClientAssertionCredential(c.TenantID, c.ClientID, func(context.Context) (string, error) { return assertion, nil },
				&azidentity.ClientAssertionCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
		}
	default:
		s.make = func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
			options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
			if c.ClientID != "" {
				options.ID = azidentity.ClientID(c.ClientID)
			}
			return azidentity.NewManagedIdentityCredential(options)
		}
	}
	return s, nil
}

// useCertificate reads the PEM file.
func (s *signIn) useCertificate(c *Config) error {
	pem, err := os.ReadFile(c.Certificate)
	if err != nil {
		return connectors.Mistake("certificate", "the file cannot be read: %w", err)
	}
	certs, key, err := azidentity.ParseCertificates(pem, nil)
	if err != nil { // its text could quote the file
		return connectors.Mistake("certificate", "%s must hold a certificate and its RSA key, unencrypted, in PEM form (BEGIN CERTIFICATE, BEGIN PRIVATE KEY)", c.Certificate)
	}
	// The file may hold a chain; the one that ends first ends the sign-in.
	for _, one := range certs {
		if s.until.IsZero() || one.NotAfter.Before(s.until) {
			s.until = one.NotAfter
		}
	}
	certs = append([]*x509.Certificate(nil), certs...)
	s.make = func(o azcore.ClientOptions) (azcore.TokenCredential, error) {
		return azidentity.NewClientCertificateCredential(c.TenantID, c.ClientID, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: true})
	}
	// Made once here for its error: a key of a kind that cannot sign is a mistake in the settings.
	if _, err := s.make(azcore.ClientOptions{}); err != nil {
		return connectors.Mistake("certificate", "%s: the key does not fit the certificate, or is no RSA key", c.Certificate)
	}
	return nil
}

// fetch asks for a token. The credential is a new one each time, because azidentity would give a token again that Graph
// has refused; rest.Tokens is what keeps it. The authority comes from a fixed table or the settings, so that nobody needs
// to be asked whether it is one (instance discovery).
func (s *signIn) fetch(ctx context.Context) (rest.Token, error) {
	wire := &wire{client: s.http}
	credential, err := s.make(azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.host},
		Transport: wire, Telemetry: policy.TelemetryOptions{Disabled: true}, Retry: policy.RetryOptions{MaxRetries: -1},
	})
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		return rest.Token{}, f
	}
	if err != nil {
		return rest.Token{}, schemas.Fail(schemas.CodeBadCredentials, "signing in at %s (%s): the credential cannot be used; "+
			"check tenant_id, client_id and the credential in the settings", s.host, s.system)
	}
	got, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.scope}})
	if err != nil {
		return rest.Token{}, s.refused(ctx, wire)
	}
	read := claimsOf(got.Token)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.at = read, time.Now()
	return rest.Token{Text: got.Token, Until: got.ExpiresOn}, nil
}

// claims gives what the last token said.
func (s *signIn) claims() claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// age tells how long the last token has been there.
func (s *signIn) age() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.at)
}
