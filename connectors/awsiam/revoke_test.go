package awsiam_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/schemas"
)

func TestRevokeRefusesOlderSessionsByOnePolicyHoweverOftenItIsCalled(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	p := w.fresh(t)
	began := time.Now().Add(-2 * time.Second)
	for range 2 {
		if got, err := c.Revoke(t.Context(), identity(p)); err != nil || got.Code != schemas.CodeOK {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	policies := w.user(t, p.Account.Value).Policies
	if len(policies) != 1 {
		t.Fatalf("the user has %d policies", len(policies))
	}
	var document struct {
		Statement []struct {
			Effect, Action, Resource string
			Condition                struct{ DateLessThan map[string]time.Time }
		}
	}
	if err := json.Unmarshal([]byte(policies["resetd-revoke-older-sessions"]), &document); err != nil {
		t.Fatal(err)
	}
	s := document.Statement[0]
	at := s.Condition.DateLessThan["aws:TokenIssueTime"]
	if s.Effect != "Deny" || s.Action != "*" || s.Resource != "*" || at.Before(began) || at.After(time.Now().Add(time.Minute)) {
		t.Errorf("the policy is %+v", s)
	}
}

func TestAccessKeysAreSwitchedOffOnlyWhereTheOperatorSaysSo(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	p := w.fresh(t)
	name := p.Account.Value
	for range 2 {
		if _, err := w.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	active := func() (n int) {
		out, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: &name})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range out.AccessKeyMetadata {
			if k.Status == "Active" {
				n++
			}
		}
		return n
	}
	got, err := open(t, w.settings(front.URL)).Revoke(t.Context(), identity(p))
	if err != nil || active() != 2 || !strings.Contains(got.Detail, "2 active access keys go on working") {
		t.Errorf("%+v, %v, %d active keys; they must be left alone and told of", got, err, active())
	}
	off := w.settings(front.URL)
	off.DeactivateAccessKeys = true
	_, err = open(t, off).Revoke(t.Context(), identity(p))
	if detail := wantCode(t, err, schemas.CodePermissionMissing); !strings.Contains(detail, "iam:UpdateAccessKey") || !strings.Contains(detail, `"Effect": "Allow"`) {
		t.Errorf("the README's policy lacks that right on purpose, but the words are: %s", detail)
	}
	if _, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("resetd"), PolicyName: aws.String("keys"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:UpdateAccessKey","Resource":"*"}]}`)}); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, off).Revoke(t.Context(), identity(p)); err != nil || active() != 0 || !strings.Contains(got.Detail, "2 access keys were switched off") {
		t.Errorf("%+v, %v, %d active keys", got, err, active())
	}
	none := w.settings(front.URL)
	none.DenyOlderSessions = false
	if got, err := open(t, none).Revoke(t.Context(), identity(p)); err != nil || got.Code != schemas.CodeUnsupported || got.Detail == "" {
		t.Errorf("with both switched off: %+v, %v", got, err)
	}
}

func TestOwnUserIsProtected(t *testing.T) {
	w := newWorld(t)
	config := w.settings(w.Front(t).URL)
	config.PathPrefixes = nil
	c := open(t, config)
	id, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "resetd"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeProtected)
	_, err = c.Revoke(t.Context(), id)
	wantCode(t, err, schemas.CodeProtected)
}

// The key with which a role is assumed is resetd's own as well.
func TestUserWhoseKeyAssumesTheRoleIsNeverCutOff(t *testing.T) {
	w := newWorld(t)
	config := w.settings(w.Front(t).URL)
	config.RoleARN, config.PathPrefixes, config.DeactivateAccessKeys = w.role(t, "resetd-role"), nil, true
	c := open(t, config)
	id, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "resetd"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Revoke(t.Context(), id)
	wantCode(t, err, schemas.CodeProtected)
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeProtected)
	if _, err := c.Probe(t.Context()); err != nil {
		t.Errorf("resetd cannot sign in any more: %v", err)
	}
}
