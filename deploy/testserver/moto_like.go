package testserver

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// flagAlone tells whether a call demands a new console password without setting
// one, which moto takes for an empty password.
func (c MotoCall) flagAlone() bool {
	return c.Action == "UpdateLoginProfile" && c.Fields["Password"] == "" && c.Fields["UserName"] != ""
}

// passwordSetters are the calls that move UserLastModifiedDate at AWS.
var passwordSetters = []string{"AdminSetUserPassword", "AdminResetUserPassword"}

// finish does what AWS would have done beside a call, and moto leaves out.
func (s *MotoServer) finish(ctx context.Context, call MotoCall, password string) error {
	switch {
	case call.flagAlone() && password != "":
		client := iam.NewFromConfig(s.SDK())
		name := aws.String(call.Fields["UserName"])
		if _, err := client.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: name, Password: &password}); err != nil {
			return fmt.Errorf("putting the password back: %w", err)
		}
		_, err := client.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: name, Password: &password, PasswordResetRequired: aws.Bool(true)})
		return err
	case slices.Contains(passwordSetters, call.Action):
		_, err := cip.NewFromConfig(s.SDK()).AdminUpdateUserAttributes(ctx, &cip.AdminUpdateUserAttributesInput{
			UserPoolId: aws.String(call.Fields["UserPoolId"]), Username: aws.String(call.Fields["Username"]), UserAttributes: []types.AttributeType{}})
		return err
	}
	return nil
}

// consolePassword gives an IAM user's password; empty without one.
func (s *MotoServer) consolePassword(ctx context.Context, user string) string {
	u, _ := s.IAMUser(ctx, user) // without a user there is no password
	return u.Password
}

// MotoUser is an IAM user as moto keeps it.
type MotoUser struct {
	Name, ID  string
	Password  string
	MustReset bool
	Policies  map[string]string // inline
}

// IAMUser reads an IAM user past all APIs. The zero value is nobody.
func (s *MotoServer) IAMUser(ctx context.Context, name string) (MotoUser, error) {
	var model struct {
		IAM struct {
			User []struct {
				Name      string            `json:"name"`
				ID        string            `json:"id"`
				Password  string            `json:"password"`
				MustReset any               `json:"password_reset_required"` // true, or a text
				Policies  map[string]string `json:"policies"`
			}
		} `json:"iam"`
	}
	if err := s.Model(ctx, &model); err != nil {
		return MotoUser{}, err
	}
	for _, u := range model.IAM.User {
		if u.Name == name {
			must := u.MustReset == true || u.MustReset == "true" || u.MustReset == "True"
			return MotoUser{Name: u.Name, ID: u.ID, Password: u.Password, MustReset: must, Policies: u.Policies}, nil
		}
	}
	return MotoUser{}, nil
}
