package cognito_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// seenAs has Cognito show a status that moto cannot have. It gives the calls that would have changed something.
func seenAs(f *testserver.MotoFront, status types.UserStatusType) (changes *[]string) {
	changes = &[]string{}
	f.After = func(call testserver.MotoCall, a *testserver.MotoAnswer) {
		switch {
		case call.Action == "AdminGetUser":
			a.Body = bytes.Replace(a.Body, []byte(`"UserStatus": "CONFIRMED"`), []byte(`"UserStatus": "`+string(status)+`"`), 1)
			a.Body = bytes.Replace(a.Body, []byte(`"UserStatus":"CONFIRMED"`), []byte(`"UserStatus":"`+string(status)+`"`), 1)
		case strings.HasPrefix(call.Action, "AdminSet"), strings.HasPrefix(call.Action, "AdminReset"):
			*changes = append(*changes, call.Action)
		}
	}
	return changes
}

func TestExternalProviderIsNeverGivenAPassword(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	changes := seenAs(front, types.UserStatusTypeExternalProvider)
	c := open(t, w.settings(front.URL))
	p := w.add(t, "Google_1234567890", "email", "g@example.com", "email_verified", "true")
	class, err := c.Classify(t.Context(), identity(p))
	if err != nil || class.Origin != schemas.OriginFederated {
		t.Errorf("%+v, %v", class, err)
	}
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeRecovery} {
		_, err := c.Reset(t.Context(), identity(p), mode)
		wantCode(t, err, schemas.CodeNotApplicable)
	}
	if len(*changes) > 0 {
		t.Errorf("these were sent: %v", *changes)
	}
}

func TestStatesThatAPasswordWouldChangeAreConflicts(t *testing.T) {
	w := newWorld(t)
	p := w.fresh(t)
	for _, status := range []types.UserStatusType{types.UserStatusTypeUnconfirmed, types.UserStatusTypeArchived, types.UserStatusTypeCompromised, types.UserStatusTypeUnknown, "INVENTED_LATER"} {
		front := w.Front(t)
		changes := seenAs(front, status)
		c := open(t, w.settings(front.URL))
		class, err := c.Classify(t.Context(), identity(p))
		if err != nil || class.Origin != schemas.OriginNative || class.Why == "" {
			t.Errorf("%s: %+v, %v", status, class, err)
		}
		_, err = c.Reset(t.Context(), identity(p), schemas.ModeRandomize)
		wantCode(t, err, schemas.CodeConflict)
		if len(*changes) > 0 {
			t.Errorf("%s: these were sent: %v", status, *changes)
		}
	}
}

func TestRecoveryWithoutAVerifiedContactIsRefusedBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	changes := seenAs(front, types.UserStatusTypeConfirmed)
	c := open(t, w.settings(front.URL))
	for name, one := range map[string]struct {
		attributes []string
		code       schemas.Code
	}{
		"unverified-address": {[]string{"email", "a@example.com"}, schemas.CodeConflict},
		"verified-nothing":   {[]string{"email_verified", "true"}, schemas.CodeConflict},
		"no-contact":         {nil, schemas.CodeConflict},
		"verified-phone":     {[]string{"phone_number", "+4930123456", "phone_number_verified", "true"}, schemas.CodeOK},
	} {
		p := w.add(t, name, one.attributes...)
		*changes = nil
		_, err := c.Reset(t.Context(), identity(p), schemas.ModeRecovery)
		detail := wantCode(t, err, one.code)
		if err != nil && (len(*changes) > 0 || !strings.Contains(detail, "verif")) {
			t.Errorf("%s: sent %v, and the words are: %s", name, *changes, detail)
		}
		if _, err := c.Reset(t.Context(), identity(p), schemas.ModeRandomize); err != nil {
			t.Errorf("%s: randomize needs no contact: %v", name, err)
		}
	}
}

func TestDisabledUserStaysDisabled(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	p := w.fresh(t)
	if _, err := w.api.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &w.pool, Username: &p.Account.Value}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Reset(t.Context(), identity(p), schemas.ModeRecovery)
	wantCode(t, err, schemas.CodeConflict)
	before := evidence(t, c, p)
	if _, err := c.Reset(t.Context(), identity(p), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	class, err := c.Classify(t.Context(), identity(p))
	if err != nil || class.Enabled || !strings.Contains(class.Why, "disabled") {
		t.Errorf("%+v, %v", class, err)
	}
	if proof, err := c.Verify(t.Context(), identity(p), before); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("%+v, %v", proof, err)
	}
}

// A user name never changes, but may be given to another user when its user was deleted.
func TestNameThatPassedToSomebodyElse(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	gone := w.fresh(t)
	id, err := c.Resolve(t.Context(), gone.Account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.AdminDeleteUser(t.Context(), &cip.AdminDeleteUserInput{UserPoolId: &w.pool, Username: &gone.Account.Value}); err != nil {
		t.Fatal(err)
	}
	heir := w.add(t, gone.Account.Value, "email", "heir@example.com")
	_, err = c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeAccountNotFound)
	_, err = c.Revoke(t.Context(), id)
	wantCode(t, err, schemas.CodeAccountNotFound)
	_, err = c.Verify(t.Context(), id, schemas.Evidence{})
	wantCode(t, err, schemas.CodeAccountNotFound)
	if w.login(t, heir, firstPassword) != "accepted" {
		t.Error("somebody else was reset")
	}
}

func TestRejectedPasswordIsReplacedThreeTimesAtMost(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	left := 2
	front.Before = func(call testserver.MotoCall) *testserver.MotoAnswer {
		if call.Action == "AdminSetUserPassword" && left > 0 {
			left--
			return testserver.Refuse(call, http.StatusBadRequest, "InvalidPasswordException", "Password does not conform to policy: "+call.Fields["Password"])
		}
		return nil
	}
	c := open(t, w.settings(front.URL))
	if _, err := c.Reset(t.Context(), identity(w.fresh(t)), schemas.ModeRandomize); err != nil {
		t.Errorf("the third password was good, but: %v", err)
	}
	left = 99
	_, err := c.Reset(t.Context(), identity(w.fresh(t)), schemas.ModeRandomize)
	detail := wantCode(t, err, schemas.CodePasswordRejected)
	if left != 96 {
		t.Errorf("%d passwords were tried", 99-left)
	}
	for _, password := range front.Passwords() {
		if strings.Contains(detail, password) {
			t.Error("the words show a password")
		}
	}
}

// The list of users lags behind the users: it may still show an address at whom it was taken from.
func TestAddressThatTheListShowsAtItsOldOwnerIsNotFound(t *testing.T) {
	w := newWorld(t)
	front := w.Front(t)
	w.add(t, "oldowner", "email", "moved@example.com", "email_verified", "true")
	front.After = func(call testserver.MotoCall, a *testserver.MotoAnswer) {
		if call.Action == "AdminGetUser" {
			a.Body = bytes.ReplaceAll(a.Body, []byte("moved@example.com"), []byte("other@example.com"))
		}
	}
	_, err := open(t, w.settings(front.URL)).Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: "moved@example.com"})
	wantCode(t, err, schemas.CodeAccountNotFound)
}

func TestPoolsOwnRulesAreKept(t *testing.T) {
	w := newWorld(t)
	w.pool, w.client = w.newPool(t, &cip.CreateUserPoolInput{PoolName: aws.String("strict"),
		UsernameAttributes: []types.UsernameAttributeType{types.UsernameAttributeTypeEmail},
		Policies:           &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(60), TemporaryPasswordValidityDays: 1}},
		AccountRecoverySetting: &types.AccountRecoverySettingType{RecoveryMechanisms: []types.RecoveryOptionType{
			{Name: types.RecoveryOptionNameTypeAdminOnly, Priority: aws.Int32(1)}}}})
	front := w.Front(t)
	c := open(t, w.settings(front.URL))
	got, err := c.Probe(t.Context())
	if err != nil || len(got.Modes) != 1 || len(got.Warn) != 1 || !strings.Contains(got.Warn[0], "TemporaryPasswordValidityDays") {
		t.Errorf("%+v, %v; recovery is for administrators alone there, and temporary passwords end after a day", got, err)
	}
	long := "Long-Password-1-" + strings.Repeat("x", 50)
	out, err := w.api.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: &w.pool, Username: aws.String("mail@example.com"), TemporaryPassword: &long})
	if err != nil {
		t.Fatal(err)
	}
	// The pool's users sign in with their address and have a user name that nobody knows.
	id, err := c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountLogin, Value: "mail@example.com"})
	if err != nil || id.Name != aws.ToString(out.User.Username) {
		t.Fatalf("%+v, %v", id, err)
	}
	_, err = c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: "mail@example.com"})
	wantCode(t, err, schemas.CodeAccountNotFound)
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if made := front.Passwords(); len(made[len(made)-1]) != 60 {
		t.Errorf("the password has %d characters, want 60", len(made[len(made)-1]))
	}
	_, err = c.Reset(t.Context(), id, schemas.ModeRecovery)
	wantCode(t, err, schemas.CodeUnsupported)
}

func TestRevokedUserCannotRefresh(t *testing.T) {
	w := newWorld(t)
	c := open(t, w.settings(w.Front(t).URL))
	p := w.fresh(t)
	session, err := w.signIn(t, p.Account.Value, firstPassword)
	if err != nil {
		t.Fatal(err)
	}
	refresh := func() error {
		_, err := w.api.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{UserPoolId: &w.pool, ClientId: &w.client,
			AuthFlow: types.AuthFlowTypeRefreshTokenAuth, AuthParameters: map[string]string{"REFRESH_TOKEN": aws.ToString(session.AuthenticationResult.RefreshToken)}})
		return err
	}
	if err := refresh(); err != nil {
		t.Fatalf("before: %v", err)
	}
	got, err := c.Revoke(t.Context(), identity(p))
	if err != nil || got.Code != schemas.CodeOK || !strings.Contains(got.Detail, "access tokens") {
		t.Errorf("%+v, %v", got, err)
	}
	if refresh() == nil {
		t.Error("the refresh token still works")
	}
}

func TestMembersOfPrivilegedGroupsAreTold(t *testing.T) {
	w := newWorld(t)
	config := w.settings(w.Front(t).URL)
	config.PrivilegedGroups = []string{"admins"}
	c := open(t, config)
	boss, other := w.fresh(t), w.fresh(t)
	if _, err := w.api.CreateGroup(t.Context(), &cip.CreateGroupInput{UserPoolId: &w.pool, GroupName: aws.String("admins")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.AdminAddUserToGroup(t.Context(), &cip.AdminAddUserToGroupInput{UserPoolId: &w.pool, GroupName: aws.String("admins"), Username: &boss.Account.Value}); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		id   schemas.Identity
		want bool
	}{{identity(boss), true}, {identity(other), false}} {
		if class, err := c.Classify(t.Context(), one.id); err != nil || class.Privileged != one.want {
			t.Errorf("%s: %+v, %v", one.id.Name, class, err)
		}
	}
}
