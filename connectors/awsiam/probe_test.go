package awsiam_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func has(texts []string, words string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, words) })
}

func TestProbeNamesEveryRightThatIsMissingAndWhatToGrant(t *testing.T) {
	w := newWorld(t)
	keys, err := w.User(t.Context(), "weak", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	c := w.settings(w.Front(t).URL)
	c.AccessKeyID, c.SecretAccessKey, c.PathPrefixes, c.DeactivateAccessKeys = keys.ID, schemas.NewSecret(keys.Secret), nil, true
	got, err := open(t, c).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"ListUsers", "GetLoginProfile", "UpdateLoginProfile", "TagUser", "PutUserPolicy", "UpdateAccessKey", "ListAccessKeys", "GetAccountPasswordPolicy",
		"GetAccountAuthorizationDetails", "ListAttachedUserPolicies", "ListGroupsForUser", "GetPolicyVersion"} {
		if !has(got.Missing, `"Action": "iam:`+action+`"`) {
			t.Errorf("%s is not named with what to grant", action)
		}
	}
	if has(got.Missing, "iam:GetUser;") {
		t.Error("a right that is there is called missing")
	}
}

func TestProbeDoesNotGuessAboutRightsBelowAPath(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
		if call.Action == "UpdateLoginProfile" {
			return testserver.Refuse(call, 403, "AccessDenied", "for a user on another path")
		}
		return nil
	}
	c := open(t, w.settings(front.URL))
	got, err := c.Probe(t.Context())
	if err != nil || has(got.Missing, "UpdateLoginProfile") || !has(got.Warn, "iam:SimulatePrincipalPolicy") {
		t.Errorf("without the simulator it cannot be told: %+v, %v", got, err)
	}
	for decision, missing := range map[string]bool{"allowed": false, "implicitDeny": true, "explicitDeny": true} {
		front := w.Front(t)
		front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
			switch call.Action {
			case "UpdateLoginProfile":
				return testserver.Refuse(call, 403, "AccessDenied", "for a user on another path")
			case "SimulatePrincipalPolicy":
				if call.Fields["PolicySourceArn"] != "arn:aws:iam::123456789012:user/resetd" || call.Fields["ResourceArns.member.1"] != "arn:aws:iam::123456789012:user/people/resetd-probe" {
					t.Errorf("asked for %v", call.Fields)
				}
				return &testserver.MotoAnswer{Status: 200, Body: []byte("<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member>" +
					"<EvalActionName>iam:UpdateLoginProfile</EvalActionName><EvalDecision>" + decision + "</EvalDecision></member></EvaluationResults>" +
					"</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>")}
			}
			return nil
		}
		got, err := open(t, w.settings(front.URL)).Probe(t.Context())
		if err != nil || has(got.Missing, "iam:UpdateLoginProfile") != missing {
			t.Errorf("%s: %+v, %v", decision, got, err)
		}
	}
}

func TestProbeWarnsOfCredentialsThatMayDoTooMuch(t *testing.T) {
	w := newWorld(t)
	c := w.settings(w.Front(t).URL)
	if got, err := open(t, c).Probe(t.Context()); err != nil || len(got.Warn) > 0 {
		t.Errorf("the README's policy, and yet %+v, %v", got.Warn, err)
	}
	c.AccessKeyID, c.SecretAccessKey = w.Admin.ID, schemas.NewSecret(w.Admin.Secret)
	if got, err := open(t, c).Probe(t.Context()); err != nil || !has(got.Warn, "may attach policies") {
		t.Errorf("an administrator: %+v, %v", got, err)
	}
	if _, err := w.iam.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{HardExpiry: aws.Bool(true), AllowUsersToChangePassword: false}); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, w.settings(w.Front(t).URL)).Probe(t.Context())
	if err != nil || !has(got.Warn, "iam:ChangePassword") || !has(got.Warn, "HardExpiry") || got.Clock.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

// The walk of an enforcement as the rest of resetd makes it, with every text checked by the Set.
func TestWholeWalkThroughTheSet(t *testing.T) {
	w := newWorld(t)
	config := w.settings(w.Front(t).URL)
	p := w.add(t, "jdoe@example.com", firstPassword)
	set, err := connectors.NewSet([]connectors.System{{Name: "aws", Kind: "awsiam", Permitted: func() bool { return true }, Secrets: config.Secrets(), Connector: unclosed(t, config)}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	id, err := set.Resolve(ctx, "aws", schemas.Account{Type: schemas.AccountAddress, Value: "jdoe@example.com"})
	if err != nil || id.ID != p.ID {
		t.Fatal(id, err)
	}
	class, err := set.Classify(ctx, "aws", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Preflight(ctx, "aws", schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if got, err := set.Reset(ctx, "aws", id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if got, err := set.Revoke(ctx, "aws", id); err != nil || got.Code != schemas.CodeOK {
		t.Errorf("Revoke: %+v, %v", got, err)
	}
	if proof, err := set.Verify(ctx, "aws", id, class.Evidence); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}
