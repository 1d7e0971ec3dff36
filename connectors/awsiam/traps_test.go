package awsiam_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestUserWithoutConsolePasswordIsNotApplicable(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	robot := w.add(t, "robot", "")
	if _, err := w.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("robot")}); err != nil {
		t.Fatal(err)
	}
	class, err := c.Classify(t.Context(), identity(robot))
	if err != nil || class.Origin != schemas.OriginFederated || class.Enabled || !strings.Contains(class.Why, "access keys") {
		t.Errorf("%+v, %v; jobs must end it as not applicable, and a person must hear of access keys", class, err)
	}
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		_, err = c.Reset(t.Context(), identity(robot), mode)
		wantCode(t, err, schemas.CodeNotApplicable)
	}
	if u := w.user(t, "robot"); u.Password != "" || u.MustReset {
		t.Errorf("a console password was made for somebody who had none: %+v", u)
	}
	if proof, err := c.Verify(t.Context(), identity(robot), schemas.Evidence{}); err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeNotApplicable {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// The name is free as soon as its owner has another, and IAM takes nothing but names.
func TestNameThatPassedToSomebodyElseIsNotActedOn(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	meant := w.add(t, "alice", firstPassword)
	id, err := c.Resolve(t.Context(), meant.Account)
	if err != nil {
		t.Fatal(err)
	}
	before := evidence(t, c, meant)
	w.rename(t, meant)
	w.add(t, "alice", "Somebody-Elses-1")
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if u := w.user(t, "alice"); u.Password != "Somebody-Elses-1" || u.MustReset || len(u.Policies) > 0 {
		t.Errorf("somebody else was reset: %+v", u)
	}
	if u := w.user(t, "now-alice"); u.Password == firstPassword || !u.MustReset || len(u.Policies) != 1 {
		t.Errorf("who was meant was not reset: %+v", u)
	}
	if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// The worst moment: after the name was compared, and before it is sent.
func TestNameThatPassesAtTheVeryMomentIsNoSuccess(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	meant := w.add(t, "alice", firstPassword)
	var once sync.Once
	front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
		if call.Action == "UpdateLoginProfile" {
			once.Do(func() {
				w.rename(t, meant)
				w.add(t, "alice", "Somebody-Elses-1")
			})
		}
		return nil
	}
	_, err := open(t, w.settings(front.URL)).Reset(t.Context(), identity(meant), schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, "somebody else") || !strings.Contains(detail, meant.ID) {
		t.Errorf("the words do not say what happened and who was meant: %s", detail)
	}
}

func TestRejectedPasswordIsReplacedThreeTimesAtMost(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	left := 2
	front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
		if call.Action == "UpdateLoginProfile" && left > 0 {
			left--
			return testserver.Refuse(call, http.StatusBadRequest, "PasswordPolicyViolation", "Password should have at least one lowercase character: "+call.Fields["Password"])
		}
		return nil
	}
	c := open(t, w.settings(front.URL))
	if _, err := c.Reset(t.Context(), identity(w.fresh(t)), schemas.ModeRandomize); err != nil {
		t.Errorf("the third password was good, but: %v", err)
	}
	left = 99
	p := w.fresh(t)
	_, err := c.Reset(t.Context(), identity(p), schemas.ModeRandomize)
	detail := wantCode(t, err, schemas.CodePasswordRejected)
	if left != 96 {
		t.Errorf("%d passwords were tried", 99-left)
	}
	for _, password := range front.Passwords() {
		if strings.Contains(detail, password) {
			t.Error("the words show a password")
		}
	}
	if w.login(t, p, firstPassword) != "accepted" {
		t.Error("the account was changed")
	}
}

func TestPasswordIsAsLongAsTheAccountsPolicyWants(t *testing.T) {
	w := newWorld(t)
	if _, err := w.iam.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(50), AllowUsersToChangePassword: true}); err != nil {
		t.Fatal(err)
	}
	front := w.Front(t)
	if _, err := open(t, w.settings(front.URL)).Reset(t.Context(), identity(w.fresh(t)), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if made := front.Passwords(); len(made) != 1 || len(made[0]) != 50 {
		t.Errorf("%d passwords, want one of 50 characters", len(made))
	}
}

func TestPrivilegedByEveryWayAPolicyCanCome(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	const all = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	const some = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	ctx := t.Context()
	policy := func(name, document string) *string {
		out, err := w.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &document})
		if err != nil {
			t.Fatal(err)
		}
		return out.Policy.Arn
	}
	group := func(name, user string) {
		_, _ = w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name}) // it may be there
		if _, err := w.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &name, UserName: &user}); err != nil {
			t.Fatal(err)
		}
	}
	named, own, harmless := policy("AdministratorAccess", all), policy("everything", all), policy("something", some)
	for name, one := range map[string]struct {
		give func(user string) error
		want bool
	}{
		"nothing": {func(string) error { return nil }, false},
		"AdministratorAccess": {func(u string) error {
			return drop(w.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &u, PolicyArn: named}))
		}, true},
		"an own policy of everything": {func(u string) error {
			return drop(w.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &u, PolicyArn: own}))
		}, true},
		"a harmless own policy": {func(u string) error {
			return drop(w.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &u, PolicyArn: harmless}))
		}, false},
		"inline everything": {func(u string) error {
			return drop(w.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &u, PolicyName: aws.String("p"), PolicyDocument: aws.String(all)}))
		}, true},
		"inline something": {func(u string) error {
			return drop(w.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &u, PolicyName: aws.String("p"), PolicyDocument: aws.String(some)}))
		}, false},
		"a group with a policy of everything": {func(u string) error {
			group("admins", u)
			return drop(w.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("admins"), PolicyArn: own}))
		}, true},
		"a group with everything inline": {func(u string) error {
			group("inline-admins", u)
			return drop(w.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("inline-admins"), PolicyName: aws.String("p"), PolicyDocument: aws.String(all)}))
		}, true},
		"a group without": {func(u string) error { group("staff", u); return nil }, false},
	} {
		p := w.fresh(t)
		if err := one.give(p.Account.Value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		class, err := c.Classify(ctx, identity(p))
		if err != nil || class.Privileged != one.want {
			t.Errorf("%s: privileged %t (%s), %v; want %t", name, class.Privileged, class.Why, err, one.want)
		}
	}
}

// IAM may cut a list short and say so. The policy that matters may be on the next page.
func TestAdministratorOnTheSecondPageIsSeen(t *testing.T) {
	w := newWorld(t)
	f := w.Front(t)
	f.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
		if call.Action != "ListAttachedUserPolicies" || call.Fields["Marker"] != "" {
			return nil
		}
		return &testserver.MotoAnswer{Status: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: []byte(`<ListAttachedUserPoliciesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">` +
			`<ListAttachedUserPoliciesResult><AttachedPolicies/><IsTruncated>true</IsTruncated><Marker>2</Marker></ListAttachedUserPoliciesResult></ListAttachedUserPoliciesResponse>`)}
	}
	f.After = func(call testserver.MotoCall, answer *testserver.MotoAnswer) {
		if call.Action == "ListAttachedUserPolicies" && call.Fields["Marker"] == "2" {
			answer.Status = 200
			answer.Body = []byte(`<ListAttachedUserPoliciesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListAttachedUserPoliciesResult><AttachedPolicies><member>` +
				`<PolicyName>AdministratorAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/AdministratorAccess</PolicyArn></member></AttachedPolicies>` +
				`<IsTruncated>false</IsTruncated></ListAttachedUserPoliciesResult></ListAttachedUserPoliciesResponse>`)
		}
	}
	class, err := open(t, w.settings(f.URL)).Classify(t.Context(), identity(w.fresh(t)))
	if err != nil || !class.Privileged {
		t.Errorf("%+v, %v", class, err)
	}
}

func drop[T any](_ T, err error) error { return err }
