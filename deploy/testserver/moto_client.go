package testserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// everything is the policy of an administrator. moto checks no right by AWS's
// own policies unless it is told to load them.
const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// secure has moto forget everything, makes an administrator, and has signatures
// and rights checked from then on.
func (s *MotoServer) secure(ctx context.Context) error {
	if err := s.tell(ctx, "reset-auth", "inf"); err != nil {
		return err
	}
	if err := s.tell(ctx, "reset", ""); err != nil {
		return err
	}
	s.Admin = MotoKeys{"AKIAIOSFODNN7EXAMPLE", "nobody-checks-yet"}
	admin, err := s.User(ctx, "moto-admin", everything)
	if err != nil {
		return err
	}
	s.Admin = admin
	return s.tell(ctx, "reset-auth", "0") // after so many requests
}

// tell posts to moto's own API.
func (s *MotoServer) tell(ctx context.Context, what, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/moto-api/"+what, strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("moto at %s: %w", s.URL, err)
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("moto at %s: %s gives HTTP %d", s.URL, what, answer.StatusCode)
	}
	return errors.Join(err, answer.Body.Close())
}

// SDK gives what clients of the AWS SDK are made of, with the administrator's
// keys.
func (s *MotoServer) SDK() aws.Config { return s.As(s.Admin) }

// As gives the same with other keys.
func (s *MotoServer) As(keys MotoKeys) aws.Config {
	return aws.Config{Region: s.Region, BaseEndpoint: aws.String(s.URL), HTTPClient: whole{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(keys.ID, keys.Secret, "")}
}

// whole is an HTTP client that reads answers to their end before it gives them.
// The SDK closes a request as soon as its answer begins; moto, which closes its
// connections too, is then cut off in the middle now and then.
type whole struct{}

// Do makes one request.
func (whole) Do(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

// User makes an IAM user without a console password, gives it a policy unless
// that is "", and an access key.
func (s *MotoServer) User(ctx context.Context, name, policy string) (MotoKeys, error) {
	client := iam.NewFromConfig(s.SDK())
	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		return MotoKeys{}, fmt.Errorf("making the user %s: %w", name, err)
	}
	if policy != "" {
		in := &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("its-rights"), PolicyDocument: &policy}
		if _, err := client.PutUserPolicy(ctx, in); err != nil {
			return MotoKeys{}, fmt.Errorf("giving %s its policy: %w", name, err)
		}
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return MotoKeys{}, fmt.Errorf("making a key for %s: %w", name, err)
	}
	return MotoKeys{aws.ToString(key.AccessKey.AccessKeyId), aws.ToString(key.AccessKey.SecretAccessKey)}, nil
}

// Model decodes moto's whole state, with passwords, past all APIs: service,
// class, objects. The shape is moto's own, so ask for few things.
func (s *MotoServer) Model(ctx context.Context, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/moto-api/data.json", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("moto at %s: %w", s.URL, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return fmt.Errorf("moto's state at %s: %w", s.URL, err)
	}
	return nil
}
