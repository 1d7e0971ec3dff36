package sender_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

func TestConfigurationIsLaidOverThePreset(t *testing.T) {
	no := false
	preset := sender.Profile{
		Verify:     sender.Verify{Scheme: "hmac", Tolerance: time.Minute},
		Map:        sender.Map{Account: sender.Expressions{"$.a", "$.b"}, Reference: sender.Expressions{"$.ref"}},
		IgnoreWhen: []sender.Rule{{If: "preset", Why: "preset"}},
		Respond:    sender.Respond{Status: 200, Body: "empty"},
	}
	preset.Verify.HMAC.SignatureHeader, preset.Verify.HMAC.Encoding = "X-Sig", "hex"
	over := sender.Profile{Map: sender.Map{Account: sender.Expressions{"$.mine"}, RevokeSessions: &no}, IgnoreWhen: []sender.Rule{{If: "own", Why: "own"}}}
	over.Verify.Keys = []schemas.Secret{schemas.NewSecret("0123456789abcdef")}
	over.Verify.HMAC.SignatureHeader = "X-Mine"
	got := over.Over(preset)
	if got.Verify.Scheme != "hmac" || got.Verify.Tolerance != time.Minute || got.Verify.HMAC.SignatureHeader != "X-Mine" ||
		got.Verify.HMAC.Encoding != "hex" || len(got.Verify.Keys) != 1 || got.Verify.Keys[0].Reveal() != "0123456789abcdef" {
		t.Errorf("verify: %+v", got.Verify)
	}
	if len(got.Map.Account) != 1 || got.Map.Account[0] != "$.mine" || got.Map.Reference[0] != "$.ref" || *got.Map.RevokeSessions {
		t.Errorf("map: %+v", got.Map)
	}
	if len(got.IgnoreWhen) != 2 || got.IgnoreWhen[0].If != "own" || got.Respond != preset.Respond {
		t.Errorf("%+v", got)
	}
	if len(preset.IgnoreWhen) != 1 || preset.Map.Account[0] != "$.a" {
		t.Error("the preset was changed")
	}
}

func TestAnotherSchemeTakesNothingFromThePreset(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme, preset.Verify.HMAC.SignatureHeader = "hmac", "X-Sig"
	over := sender.Profile{}
	over.Verify.Scheme, over.Verify.Secret.In = "shared-secret", "bearer"
	if got := over.Over(preset).Verify; got.HMAC.SignatureHeader != "" || got.Secret.In != "bearer" || got.Scheme != "shared-secret" {
		t.Errorf("%+v", got)
	}
}

func TestAnotherTextThatIsSignedTakesNoTimeFromThePreset(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme = "hmac"
	preset.Verify.HMAC = sender.HMAC{SignatureHeader: "X-Sig", ContentTemplate: "{timestamp}:{body}", TimestampHeader: "X-Time", TimestampFormat: "unix_ms"}
	for _, c := range []struct{ over, want sender.HMAC }{
		{sender.HMAC{ContentTemplate: "{body}"}, sender.HMAC{SignatureHeader: "X-Sig", ContentTemplate: "{body}"}},
		{sender.HMAC{ContentTemplate: "{body}{timestamp}", TimestampHeader: "X-Mine"}, sender.HMAC{SignatureHeader: "X-Sig", ContentTemplate: "{body}{timestamp}", TimestampHeader: "X-Mine"}},
		{sender.HMAC{Encoding: "base64"}, sender.HMAC{SignatureHeader: "X-Sig", ContentTemplate: "{timestamp}:{body}", TimestampHeader: "X-Time", TimestampFormat: "unix_ms", Encoding: "base64"}},
	} {
		over := sender.Profile{}
		over.Verify.HMAC = c.over
		if got := over.Over(preset).Verify.HMAC; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: got %+v", c.over, got)
		}
	}
}

func TestOneExpressionNeedsNoList(t *testing.T) {
	var m sender.Map
	if err := yaml.Unmarshal([]byte("account: $.a\nreference: [$.b, \"=c\"]\n"), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Account) != 1 || m.Account[0] != "$.a" || len(m.Reference) != 2 || m.Reference[1] != "=c" {
		t.Errorf("%+v", m)
	}
}

func TestAnotherSignedTextTakesNoTimeFromThePreset(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme, preset.Verify.HMAC.SignatureHeader = "hmac", "X-Sig"
	preset.Verify.HMAC.ContentTemplate, preset.Verify.HMAC.TimestampHeader = "{timestamp}:{body}", "X-Time"
	over := sender.Profile{}
	over.Verify.HMAC.ContentTemplate = "{body}"
	if got := over.Over(preset).Verify.HMAC; got.TimestampHeader != "" || got.SignatureHeader != "X-Sig" || got.ContentTemplate != "{body}" {
		t.Errorf("%+v", got)
	}
}

func TestAnotherPlaceOfTheSecretTakesNothingFromThePreset(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme = "shared-secret"
	preset.Verify.Secret = sender.SharedSecret{In: "header", Header: "X-Resetd-Secret"}
	for over, want := range map[sender.SharedSecret]sender.SharedSecret{
		{In: "bearer"}:                   {In: "bearer"},
		{In: "basic", User: "u"}:         {In: "basic", User: "u"},
		{Header: "X-Mine"}:               {In: "header", Header: "X-Mine"},
		{In: "header"}:                   {In: "header", Header: "X-Resetd-Secret"},
		{In: "header", Header: "X-Mine"}: {In: "header", Header: "X-Mine"},
	} {
		p := sender.Profile{}
		p.Verify.Secret = over
		if got := p.Over(preset).Verify.Secret; got != want {
			t.Errorf("%+v: got %+v", over, got)
		}
	}
}

// A preset's pins are what tells its sender from others of the same issuer. A claim that is added does not remove them, and
// nor does an empty list, which is more likely one that was never filled.
func TestPinsOfThePresetStayBesideOthers(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Token = sender.Token{Claims: map[string]string{"email": "fill me in", "email_verified": "true"}, Subjects: []string{"fill me in"}, Algorithms: []string{"RS256"}}
	preset.Verify.AllowFrom = []string{"192.0.2.0/24"}
	over := sender.Profile{}
	over.Verify.Token = sender.Token{Claims: map[string]string{"email": "a@example.com", "azp": "b"}, Subjects: []string{}, Algorithms: []string{}}
	over.Verify.AllowFrom = []string{}
	got := over.Over(preset).Verify
	want := sender.Token{Claims: map[string]string{"email": "a@example.com", "email_verified": "true", "azp": "b"}, Subjects: []string{"fill me in"}, Algorithms: []string{"RS256"}}
	if !reflect.DeepEqual(got.Token, want) || len(got.AllowFrom) != 1 {
		t.Errorf("%+v", got)
	}
	if preset.Verify.Token.Claims["email"] != "fill me in" || len(over.Verify.Token.Claims) != 2 {
		t.Error("preset or configuration was changed")
	}
	over.Handshake, preset.Handshake = []string{}, []string{"ssf-verification"}
	if got := over.Over(preset); len(got.Handshake) != 0 {
		t.Errorf("%v: an empty list of what is no pin takes the preset's away", got.Handshake)
	}
}

// Where deliveries come from does not depend on how they are proved.
func TestAnotherSchemeKeepsTheNetworks(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme, preset.Verify.AllowFrom = "shared-secret", []string{"192.0.2.0/24"}
	over := sender.Profile{}
	over.Verify.Scheme = "hmac"
	if got := over.Over(preset).Verify; len(got.AllowFrom) != 1 {
		t.Errorf("%+v", got)
	}
}

// What says how a time or an id is found means nothing for another text that is signed.
func TestOtherPlacesOfTheSignatureAreKeptApart(t *testing.T) {
	preset := sender.Profile{}
	preset.Verify.Scheme = "hmac"
	preset.Verify.HMAC = sender.HMAC{SignatureHeader: "X-Sig", Pick: "v1=([^,]+)", TimestampPick: "t=([0-9]+)", ContentTemplate: "{timestamp}.{body}"}
	over := sender.Profile{}
	over.Verify.HMAC = sender.HMAC{SignatureHeader: "X-Mine", SignaturePrefix: "v1=", TimestampHeader: "X-Time"}
	want := sender.HMAC{SignatureHeader: "X-Mine", SignaturePrefix: "v1=", TimestampHeader: "X-Time", ContentTemplate: "{timestamp}.{body}"}
	if got := over.Over(preset).Verify.HMAC; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}
