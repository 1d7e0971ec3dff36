package awsiam

import (
	"testing"

	"github.com/resetd/resetd/schemas"
)

// What a reading proves, told by the two readings and the note between them.
func TestVerdictClaimsNoMoreThanIsProved(t *testing.T) {
	const born, reborn = "20240101T000000.000Z|", "20260101T000000.000Z|"
	at := func(must bool, marker string) schemas.Evidence {
		return schemas.Evidence{MustChange: must, Marker: marker}
	}
	for name, one := range map[string]struct {
		since, now schemas.Evidence
		state      schemas.ProofState
		changed    bool
	}{
		"nothing happened": {at(false, born), at(false, born), schemas.ProofNotEnforced, false},
		"confirmed":        {at(false, born), at(true, born+"set:A"), schemas.ProofEnforced, true},
		"sent, answer lost, the flag came with it":      {at(false, born), at(true, born+"sent:A:"), schemas.ProofEnforced, true},
		"sent over a flag, answer lost":                 {at(true, born), at(true, born+"blind:A:"), schemas.ProofUnknown, false},
		"sent over a flag, confirmed":                   {at(true, born+"set:A"), at(true, born+"set:B"), schemas.ProofEnforced, true},
		"the flag was there, and nothing happened":      {at(true, born+"set:A"), at(true, born+"set:A"), schemas.ProofNotEnforced, false},
		"the flag alone":                                {at(false, born), at(true, born+"flag:A:"), schemas.ProofEnforced, false},
		"the flag alone, again":                         {at(true, born+"flag:A:"), at(true, born+"flag:B:"), schemas.ProofEnforced, false},
		"somebody else set the flag":                    {at(false, born), at(true, born), schemas.ProofEnforced, false},
		"confirmed, and the user was quick":             {at(false, born), at(false, born+"set:A"), schemas.ProofNotEnforced, true},
		"the password was removed and made anew":        {at(false, born), at(false, reborn), schemas.ProofNotEnforced, true},
		"made anew with the flag":                       {at(false, born), at(true, reborn), schemas.ProofEnforced, true},
		"an older note that nobody has confirmed since": {at(true, born+"sent:A:"), at(true, born+"sent:A:"), schemas.ProofNotEnforced, false},
	} {
		got := judge(one.now, one.since, true)
		if got.State != one.state || got.Changed != one.changed || got.Detail == "" {
			t.Errorf("%s: %s, changed %t (%s); want %s, %t", name, got.State, got.Changed, got.Detail, one.state, one.changed)
		}
	}
}

// An attempt that was refused, or never arrived, must leave the evidence as it was.
func TestNoteOfAnAttemptThatDidNothingProvesNothing(t *testing.T) {
	for name, one := range map[string]struct {
		record string
		must   bool
		want   string
	}{
		"none":                                {"", false, ""},
		"sent, nothing came of it":            {"sent:B:", false, ""},
		"sent after an earlier one":           {"sent:B:A", false, "set:A"},
		"sent, and the flag is on":            {"sent:B:A", true, "sent:B:A"},
		"confirmed":                           {"set:B:A", true, "set:B"},
		"confirmed, and changed by the user":  {"set:B:A", false, "set:B"},
		"the flag, and it was not set":        {"flag:B:A", false, "set:A"},
		"something that resetd did not write": {"hello", false, ""},
	} {
		if got := noted(one.record, one.must); got != one.want {
			t.Errorf("%s: %q, want %q", name, got, one.want)
		}
	}
}

func TestPolicyThatAllowsEverythingIsSeenInEveryForm(t *testing.T) {
	for document, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`:                                                 true,
		`{"Statement":[{"Effect":"Allow","Action":["s3:*","iam:*"],"Resource":["*"]}]}`:                                true,
		`{"Statement":[{"Effect":"Allow","Action":"*:*","NotResource":"arn:aws:s3:::x"}]}`:                             true,
		`{"Statement":[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]}`:                                         true,
		`%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D`: true,
		`no JSON`: true,
		// All of IAM, and what of it is enough to take the rest.
		`{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::123456789012:*"}}`:                                true,
		`{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*"}}`:                                             true,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:*"}}`:                                                      true,
		`{"Statement":{"Effect":"Allow","Action":"i*","Resource":"*"}}`:                                                             true,
		`{"Statement":{"Effect":"Allow","Action":"IAM:Attach*","Resource":"*"}}`:                                                    true,
		`{"Statement":{"Effect":"Allow","Action":["s3:Get*","iam:PutUserPolicy"],"Resource":"*"}}`:                                  true,
		`{"Statement":{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"arn:aws-cn:iam::123456789012:policy/mine"}}`: true,
		`{"Statement":{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"arn:aws:iam::123456789012:group/admins"}}`:        true,
		`{"Statement":{"Effect":"Allow","Action":"iam:UpdateLoginProfile","Resource":"arn:aws:iam::123456789012:user/*"}}`:          true,
		// What everybody may do with his own.
		`{"Statement":{"Effect":"Allow","Action":["iam:*AccessKey*","iam:*LoginProfile","iam:ChangePassword"],"Resource":"arn:aws:iam::*:user/${aws:username}"}}`: false,
		`{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:mfa/*"}}`:                                                                     false,
		`{"Statement":{"Effect":"Allow","Action":["iam:List*","iam:Get*","iam:PassRole"],"Resource":"*"}}`:                                                        false,
		`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`:                                                                                           false,
		`{"Statement":[{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}]}`:                                                                                   false,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::x"}]}`:                                                                             false,
		`{"Statement":[]}`: false,
	} {
		if got := allPowerful(document); got != want {
			t.Errorf("%s: %t", document, got)
		}
	}
}
