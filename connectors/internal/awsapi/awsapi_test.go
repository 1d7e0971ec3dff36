package awsapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/awsapi"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

const role = "arn:aws:iam::123456789012:role/resetd"

// fake answers as the function says, by the action asked for.
func fake(t *testing.T, answer func(action string, r *http.Request, w http.ResponseWriter)) awsapi.Settings {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		answer(r.Form.Get("Action"), r, w)
	}))
	t.Cleanup(s.Close)
	return awsapi.Settings{Region: "us-east-1", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: schemas.NewSecret("a secret"), Endpoint: s.URL}
}

func session(t *testing.T, s awsapi.Settings) *awsapi.Session {
	t.Helper()
	if all := s.Validate(); len(all) > 0 {
		t.Fatal(errors.Join(all...))
	}
	got, err := awsapi.Open(s, connectors.Env{System: "aws"}, "AWS IAM")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Close() })
	return got
}

// refuse answers with an error in AWS's form.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<ErrorResponse><Error><Type>Sender</Type><Code>"+code+"</Code><Message>"+message+"</Message></Error></ErrorResponse>")
}

// change makes a call that changes something and carries a secret.
func change(ctx context.Context, s *awsapi.Session, password string) *schemas.Failure {
	_, f := awsapi.Do(ctx, s, awsapi.Call{Doing: "resetting jdoe", Action: "iam:UpdateLoginProfile", Resource: "arn:aws:iam::123456789012:user/*",
		Changes: true, Secret: schemas.NewSecret(password)},
		func(ctx context.Context) (*iam.UpdateLoginProfileOutput, error) {
			return iam.NewFromConfig(s.Config).UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: aws.String("jdoe"), Password: &password})
		})
	return f
}

func TestEveryAnswerHasItsCodeAndShowsNoPassword(t *testing.T) {
	const password = "The-New-Password-1"
	for code, one := range map[string]struct {
		status int
		want   schemas.Code
	}{
		"AccessDenied":                  {403, schemas.CodePermissionMissing},
		"ExpiredToken":                  {403, schemas.CodeBadCredentials},
		"InvalidClientTokenId":          {403, schemas.CodeBadCredentials},
		"SignatureDoesNotMatch":         {403, schemas.CodeBadCredentials},
		"RequestTimeTooSkewed":          {403, schemas.CodeBadCredentials},
		"Throttling":                    {400, schemas.CodeRateLimited},
		"ThrottlingException":           {400, schemas.CodeRateLimited},
		"RequestLimitExceeded":          {503, schemas.CodeRateLimited},
		"EntityTemporarilyUnmodifiable": {409, schemas.CodeUnavailable},
		"ServiceUnavailable":            {503, schemas.CodeUnavailable},
		"ServiceFailure":                {500, schemas.CodeTimedOut},
		"InternalFailure":               {500, schemas.CodeTimedOut},
		"NoSuchEntity":                  {404, schemas.CodeAccountNotFound},
		"PasswordPolicyViolation":       {400, schemas.CodePasswordRejected},
		"ValidationError":               {400, schemas.CodeUnexpected},
		"SomethingNew":                  {400, schemas.CodeUnexpected},
	} {
		s := session(t, fake(t, func(_ string, _ *http.Request, w http.ResponseWriter) {
			refuse(w, one.status, code, "Value '"+password+"' at 'password', of which '"+password[:9]+"' is a part")
		}))
		f := change(t.Context(), s, password)
		if f == nil || f.Code != one.want {
			t.Errorf("%s: %v, want %s", code, f, one.want)
			continue
		}
		if strings.Contains(f.Detail, password) {
			t.Errorf("%s shows the password", code)
		}
		if f.RetryAfter != 0 {
			t.Errorf("%s: a wait of %s that nobody asked for", code, f.RetryAfter)
		}
		if one.want == schemas.CodePermissionMissing && !strings.Contains(f.Detail, `{"Effect": "Allow", "Action": "iam:UpdateLoginProfile", "Resource": "arn:aws:iam::123456789012:user/*"}`) {
			t.Errorf("the words do not say what to grant: %s", f.Detail)
		}
	}
}

func TestNothingIsSentTwiceByTheSDK(t *testing.T) {
	calls := 0
	s := session(t, fake(t, func(_ string, _ *http.Request, w http.ResponseWriter) {
		calls++
		refuse(w, 503, "ServiceUnavailable", "later")
	}))
	if f := change(t.Context(), s, "p"); f.Code != schemas.CodeUnavailable || calls != 1 {
		t.Errorf("%v after %d calls", f, calls)
	}
}

func TestStaleCredentialsAreReplacedOnceIfThereAreOthers(t *testing.T) {
	for name, one := range map[string]struct {
		role  string
		fresh bool // whether the role's credentials get better
		calls int
		want  schemas.Code
	}{
		"others that are good": {role, true, 2, schemas.CodeOK},
		"others, as stale":     {role, false, 2, schemas.CodeBadCredentials},
		"a key pair, no other": {"", false, 1, schemas.CodeBadCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			calls, assumed := 0, 0
			set := fake(t, func(action string, r *http.Request, w http.ResponseWriter) {
				mu.Lock()
				defer mu.Unlock()
				if action == "AssumeRole" {
					assumed++
					token := strings.Repeat("t", assumed)
					_, _ = io.WriteString(w, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA"+token+"</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
						"<SessionToken>"+token+"</SessionToken><Expiration>"+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+"</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>")
					return
				}
				if calls++; one.fresh && r.Header.Get("X-Amz-Security-Token") == "tt" {
					_, _ = io.WriteString(w, "<UpdateLoginProfileResponse/>")
					return
				}
				refuse(w, 403, "ExpiredToken", "The security token included in the request is expired")
			})
			set.RoleARN = one.role
			f := change(t.Context(), session(t, set), "p")
			got := schemas.CodeOK
			if f != nil {
				got = f.Code
			}
			if got != one.want || calls != one.calls {
				t.Errorf("%v after %d calls, want %s after %d", f, calls, one.want, one.calls)
			}
		})
	}
}

func TestCredentialsOfAnotherAccountAreRefused(t *testing.T) {
	asked := 0
	set := fake(t, func(string, *http.Request, http.ResponseWriter) {})
	set = fake(t, func(_ string, _ *http.Request, w http.ResponseWriter) {
		asked++
		_, _ = io.WriteString(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn><UserId>123456789012</UserId>"+
			"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	})
	set.AccountID = "999999999999"
	if _, f := session(t, set).Caller(t.Context()); f == nil || f.Code != schemas.CodeBadCredentials || !strings.Contains(f.Detail, "123456789012") {
		t.Errorf("the guard says %v", f)
	}
	set.AccountID = "123456789012"
	s := session(t, set)
	asked = 0
	for range 3 {
		if c, f := s.Caller(t.Context()); f != nil || !c.Root() {
			t.Errorf("%+v, %v", c, f)
		}
	}
	if asked != 1 {
		t.Errorf("STS was asked %d times", asked)
	}
	if tls, clock := s.Seen(); tls == nil || tls.Version != rest.PlainHere || clock.IsZero() || s.Now().Sub(clock).Abs() > time.Minute {
		t.Errorf("seen: %v, %v, now %v", tls, clock, s.Now())
	}
}

func TestWebIdentityIsExchangedWithoutOtherCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the environment")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a web token"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := fake(t, func(action string, r *http.Request, w http.ResponseWriter) {
		switch {
		case action == "AssumeRoleWithWebIdentity" && r.Form.Get("WebIdentityToken") == "a web token" && r.Header.Get("Authorization") == "":
			_, _ = io.WriteString(w, "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
				"<SessionToken>web</SessionToken><Expiration>"+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+"</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
		case action == "UpdateLoginProfile" && r.Header.Get("X-Amz-Security-Token") == "web":
			_, _ = io.WriteString(w, "<UpdateLoginProfileResponse/>")
		default:
			refuse(w, 403, "AccessDenied", "no")
		}
	})
	set.AccessKeyID, set.SecretAccessKey, set.RoleARN, set.WebIdentityTokenFile = "", schemas.Secret{}, role, token
	if f := change(t.Context(), session(t, set), "p"); f != nil {
		t.Error(f)
	}
}

func TestRefusedRoleSaysWhatToDo(t *testing.T) {
	set := fake(t, func(_ string, _ *http.Request, w http.ResponseWriter) {
		refuse(w, 403, "AccessDenied", "not authorized to perform: sts:AssumeRole")
	})
	set.RoleARN = role
	f := change(t.Context(), session(t, set), "p")
	if f == nil || f.Code != schemas.CodeBadCredentials || !strings.Contains(f.Detail, "trust policy") || !strings.Contains(f.Detail, role) {
		t.Errorf("%v", f)
	}
}
