package testserver

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

func TestMotoChecksSignaturesAndRights(t *testing.T) {
	s := Moto(t)
	front := s.Front(t)
	weak, err := s.User(t.Context(), "weak", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	forged := weak
	forged.Secret += "x"
	for name, one := range map[string]struct {
		keys MotoKeys
		list string
		get  string
	}{
		"the administrator": {s.Admin, "", ""},
		"a weak user":       {weak, "AccessDenied", ""},
		"a forged secret":   {forged, "SignatureDoesNotMatch", "SignatureDoesNotMatch"},
		"a stranger":        {MotoKeys{"AKIAIOSFODNN7EXAMPLE", "x"}, "InvalidClientTokenId", "InvalidClientTokenId"},
	} {
		sdk := s.As(one.keys)
		sdk.BaseEndpoint = &front.URL
		client := iam.NewFromConfig(sdk)
		_, err := client.ListUsers(t.Context(), &iam.ListUsersInput{})
		if got := codeOf(err); got != one.list {
			t.Errorf("%s: ListUsers gives %q (%v), want %q", name, got, err, one.list)
		}
		_, err = client.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("weak")})
		if got := codeOf(err); got != one.get {
			t.Errorf("%s: GetUser gives %q (%v), want %q", name, got, err, one.get)
		}
	}
}

func TestMotosModelShowsWhatItKeeps(t *testing.T) {
	s := Moto(t)
	var model struct {
		IAM struct {
			User []struct {
				Name string `json:"name"`
			}
		} `json:"iam"`
	}
	if err := s.Model(t.Context(), &model); err != nil {
		t.Fatal(err)
	}
	if len(model.IAM.User) != 1 || model.IAM.User[0].Name != "moto-admin" {
		t.Errorf("moto keeps %+v, want its administrator alone", model.IAM.User)
	}
}

// codeOf gives AWS's code of an error; empty for none.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		return "no answer"
	}
	return ""
}
