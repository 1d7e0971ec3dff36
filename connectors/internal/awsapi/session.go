package awsapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
)

// Session is how one system is spoken to. Its methods may be called at the same time.
type Session struct {
	// System is the system's name in the configuration, and Product what a person calls it; both are for messages.
	System, Product string
	// Config is what the SDK's clients are made of.
	Config   aws.Config
	Settings Settings

	sts   *sts.Client
	cache *aws.CredentialsCache
	idle  func() // lets go of connections that lie idle
	note  *notes

	mu     sync.Mutex
	caller Caller // of the access key in it
}

// early is how long before their end credentials are replaced: a call with them must still arrive.
const early = 30 * time.Second

// sessionName is what CloudTrail shows of an assumed role.
const sessionName = "resetd"

// Open makes a session. It reads files but connects to nothing. Its errors are *connectors.ConfigError.
func Open(s Settings, env connectors.Env, product string) (*Session, error) {
	client, err := rest.HTTPClient(s.TLSCA, 0)
	if err != nil {
		return nil, err
	}
	out := &Session{System: env.System, Product: product, Settings: s, note: &notes{}}
	options := []func(*config.LoadOptions) error{
		config.WithRegion(s.Region),
		// The jobs repeat what may be repeated; a second layer would multiply the attempts and hide what was sent.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
	}
	if s.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(s.Endpoint))
	}
	switch {
	case s.AccessKeyID != "":
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey.Reveal(), "")))
	case s.WebIdentityTokenFile != "": // nothing of the environment is to stand in for the token
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	out.Config, err = config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return nil, connectors.Mistake("access_key_id", "the credentials of the environment cannot be read; correct AWS_PROFILE and the files ~/.aws/config and ~/.aws/credentials, or write a key pair here: %w", err)
	}
	out.use(client)
	out.cache = aws.NewCredentialsCache(out.provider(), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = early })
	out.Config.Credentials = out.cache
	out.sts = sts.NewFromConfig(out.Config)
	return out, nil
}

// use has all calls go through the client. The SDK found out about AWS_CA_BUNDLE meanwhile, which stands in for tls_ca.
func (s *Session) use(client *http.Client) {
	transport, ok := client.Transport.(*http.Transport)
	if bundle, is := s.Config.HTTPClient.(*awshttp.BuildableClient); ok && is && s.Settings.TLSCA == "" {
		if t := bundle.GetTransport().TLSClientConfig; t != nil {
			transport.TLSClientConfig.RootCAs = t.RootCAs
		}
	}
	s.note.next, s.idle = client.Transport, client.CloseIdleConnections
	noted := *client
	noted.Transport = s.note
	s.Config.HTTPClient = &noted
}

// provider gives where credentials come from: a role that is assumed, or what the configuration found.
func (s *Session) provider() aws.CredentialsProvider {
	base := sts.NewFromConfig(s.Config)
	set := s.Settings
	switch {
	case set.WebIdentityTokenFile != "":
		return stscreds.NewWebIdentityRoleProvider(base, set.RoleARN, stscreds.IdentityTokenFile(set.WebIdentityTokenFile),
			func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = sessionName })
	case set.RoleARN != "":
		return stscreds.NewAssumeRoleProvider(base, set.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if set.ExternalID != "" {
				o.ExternalID = &set.ExternalID
			}
		})
	}
	if cache, ok := s.Config.Credentials.(*aws.CredentialsCache); ok {
		return uncached{cache}
	}
	return s.Config.Credentials
}

// uncached asks a cache of the SDK for new credentials: two caches, one behind the other, would each keep what the service
// has refused.
type uncached struct{ cache *aws.CredentialsCache }

// Retrieve gives new credentials.
func (u uncached) Retrieve(ctx context.Context) (aws.Credentials, error) {
	u.cache.Invalidate()
	return u.cache.Retrieve(ctx)
}

// Close lets go of connections that lie idle.
func (s *Session) Close() error {
	s.idle()
	return nil
}
