package verify_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
)

// normal is what NormaliseSET gives, as a mapping sees it.
type normal struct {
	Issuer   string          `json:"iss"`
	ID       string          `json:"jti"`
	IssuedAt json.Number     `json:"iat"`
	Audience []string        `json:"aud"`
	Txn      string          `json:"txn"`
	SubID    json.RawMessage `json:"sub_id"`
	Events   []struct {
		Type, Name string
		Subject    map[string]any
		Complex    json.RawMessage
		Account    *struct{ Type, Value string }
		NoAccount  string `json:"no_account"`
		Event      json.RawMessage
		Timestamp  string `json:"event_timestamp"`
	}
}

func normalise(t testing.TB, claims string) (n normal) {
	t.Helper()
	text, err := verify.NormaliseSET([]byte(claims))
	if err != nil {
		t.Fatalf("%s: %v", claims, err)
	}
	if err := json.Unmarshal(text, &n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

const risc = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"

// about puts a token around a subject, as sub_id or inside the event, with further claims before it.
func about(more, subID, subject string) string {
	if subID != "" {
		subID = `"sub_id":` + subID + `,`
	}
	if subject != "" {
		subject = `"subject":` + subject
	}
	return `{"iss":"https://tr.example.com/","jti":"1","iat":1,"aud":"a",` + more + subID + `"events":{"` + risc + `":{` + subject + `}}}`
}

func TestAccountsOfSubjects(t *testing.T) {
	const (
		email  = `{"format":"email","email":"jdoe@example.com"}`
		own    = `{"format":"iss_sub","iss":"https://tr.example.com","sub":"00u1abc"}`
		other  = `{"format":"iss_sub","iss":"https://idp.example.net","sub":"00u1abc"}`
		acct   = `{"format":"account","uri":"acct:jdoe@example.com"}`
		opaque = `{"format":"opaque","id":"11112222333344445555"}`
		phone  = `{"format":"phone_number","phone_number":"+12065550100"}`
		device = `{"format":"opaque","id":"d-1"}`
	)
	aliases := func(list ...string) string {
		return `{"format":"aliases","identifiers":[` + strings.Join(list, ",") + `]}`
	}
	for name, c := range map[string]struct {
		claims string
		want   string // type and value, or nothing
		format string
	}{
		"email":                     {about("", email, ""), "email jdoe@example.com", "email"},
		"email, no address":         {about("", `{"format":"email","email":"jdoe"}`, ""), "", "email"},
		"email, two addresses":      {about("", `{"format":"email","email":"a@example.com,b@example.com"}`, ""), "", "email"},
		"email, a name with it":     {about("", `{"format":"email","email":"J Doe <jdoe@example.com>\n"}`, ""), "", "email"},
		"email, invisible":          {about("", `{"format":"email","email":"jdoe\u200b@example.com"}`, ""), "", "email"},
		"email, null":               {about("", `{"format":"email","email":null}`, ""), "", "email"},
		"email, a list":             {about("", `{"format":"email","email":["jdoe@example.com"]}`, ""), "", "email"},
		"iss_sub":                   {about("", own, ""), "object_id 00u1abc", "iss_sub"},
		"iss_sub, another issuer":   {about("", other, ""), "", "iss_sub"},
		"iss_sub, an address":       {about("", `{"format":"iss_sub","iss":"https://tr.example.com/","sub":"joe@example.com"}`, ""), "login_or_email joe@example.com", "iss_sub"},
		"iss_sub, two addresses":    {about("", `{"format":"iss_sub","iss":"https://tr.example.com/","sub":"joe@a.example, jane@example.com"}`, ""), "", "iss_sub"},
		"iss_sub, elsewhere's":      {about("", `{"format":"iss_sub","iss":"https://idp.example.com/","sub":"joe@example.com"}`, ""), "", "iss_sub"},
		"iss_sub, no sub":           {about("", `{"format":"iss_sub","iss":"https://tr.example.com/"}`, ""), "", "iss_sub"},
		"iss_sub, a number":         {about("", `{"format":"iss_sub","iss":"https://tr.example.com/","sub":1}`, ""), "", "iss_sub"},
		"account":                   {about("", acct, ""), "login_or_email jdoe@example.com", "account"},
		"account, escaped":          {about("", `{"format":"account","uri":"ACCT:j%2Edoe@example.com"}`, ""), "login_or_email j.doe@example.com", "account"},
		"account, two @":            {about("", `{"format":"account","uri":"acct:jdoe%40corp.example@example.com"}`, ""), "", "account"},
		"account, another scheme":   {about("", `{"format":"account","uri":"mailto:jdoe@example.com"}`, ""), "", "account"},
		"account, bad escape":       {about("", `{"format":"account","uri":"acct:%zz@example.com"}`, ""), "", "account"},
		"opaque":                    {about("", opaque, ""), "", "opaque"},
		"phone_number":              {about("", phone, ""), "", "phone_number"},
		"did":                       {about("", `{"format":"did","url":"did:example:123456"}`, ""), "", "did"},
		"uri":                       {about("", `{"format":"uri","uri":"mailto:jdoe@example.com"}`, ""), "", "uri"},
		"jwt_id":                    {about("", `{"format":"jwt_id","iss":"https://tr.example.com/","jti":"1"}`, ""), "", "jwt_id"},
		"its own":                   {about("", `{"format":"catalog_item","catalog_id":"1"}`, ""), "", "catalog_item"},
		"no format":                 {about("", `{"email":"jdoe@example.com"}`, ""), "", ""},
		"aliases":                   {about("", aliases(phone, email), ""), "email jdoe@example.com", "aliases"},
		"aliases, several kinds":    {about("", aliases(own, acct, email), ""), "email jdoe@example.com", "aliases"},
		"aliases, no email":         {about("", aliases(own, acct), ""), "login_or_email jdoe@example.com", "aliases"},
		"aliases, twice the same":   {about("", aliases(email, email), ""), "email jdoe@example.com", "aliases"},
		"aliases, two emails":       {about("", aliases(email, `{"format":"email","email":"john@example.com"}`), ""), "", "aliases"},
		"aliases, none":             {about("", aliases(phone, opaque), ""), "", "aliases"},
		"aliases, nested":           {about("", aliases(email, aliases(email)), ""), "", "aliases"},
		"aliases, empty":            {about("", aliases(), ""), "", "aliases"},
		"aliases, null":             {about("", aliases("null"), ""), "", "aliases"},
		"aliases, no list":          {about("", `{"format":"aliases","identifiers":{}}`, ""), "", "aliases"},
		"complex":                   {about("", `{"format":"complex","user":`+email+`,"device":`+device+`}`, ""), "email jdoe@example.com", "email"},
		"complex, aliases":          {about("", `{"format":"complex","user":`+aliases(email)+`}`, ""), "email jdoe@example.com", "aliases"},
		"complex, no user":          {about("", `{"format":"complex","device":`+device+`,"group":`+email+`}`, ""), "", ""},
		"complex, user null":        {about("", `{"format":"complex","user":null}`, ""), "", ""},
		"complex, user a text":      {about("", `{"format":"complex","user":"jdoe@example.com"}`, ""), "", ""},
		"complex in complex":        {about("", `{"format":"complex","user":{"format":"complex","user":`+email+`}}`, ""), "", "complex"},
		"complex, an older draft":   {about("", "", `{"user":`+email+`,"device":`+device+`}`), "email jdoe@example.com", "email"},
		"in the event":              {about("", "", email), "email jdoe@example.com", "email"},
		"subject_type":              {about("", "", `{"subject_type":"email","email":"jdoe@example.com"}`), "email jdoe@example.com", "email"},
		"subject_type, iss-sub":     {about("", "", `{"subject_type":"iss-sub","iss":"https://tr.example.com/","sub":"7375626A656374"}`), "object_id 7375626A656374", "iss_sub"},
		"subject_type, id_token":    {about("", "", `{"subject_type":"id_token_claims","iss":"https://tr.example.com/","sub":"1","email":"jdoe@example.com"}`), "email jdoe@example.com", "id_token_claims"},
		"subject_type, no email":    {about("", "", `{"subject_type":"id-token-claims","iss":"https://tr.example.com/","sub":"1"}`), "object_id 1", "id_token_claims"},
		"subject_type, phone":       {about("", "", `{"subject_type":"phone-number","phone_number":"+1"}`), "", "phone_number"},
		"both words, the same":      {about("", "", `{"subject_type":"iss-sub","format":"iss_sub","iss":"https://tr.example.com/","sub":"1"}`), "object_id 1", "iss_sub"},
		"both words, different":     {about("", "", `{"subject_type":"iss-sub","format":"email","email":"jdoe@example.com"}`), "", "email"},
		"in both, the same":         {about("", email, `{"email":"jdoe@example.com", "format":"email"}`), "email jdoe@example.com", "email"},
		"in both, one account":      {about("", `{"format":"complex","user":`+email+`,"tenant":`+own+`}`, email), "email jdoe@example.com", "email"},
		"in both, different":        {about("", email, `{"format":"email","email":"boss@example.com"}`), "", "email"},
		"in both, one unclear":      {about("", opaque, email), "", "opaque"},
		"in both, other unclear":    {about("", email, opaque), "", "email"},
		"sub":                       {about(`"sub":"00u1abc",`, "", ""), "object_id 00u1abc", "iss_sub"},
		"sub, an address":           {about(`"sub":"jdoe@example.com",`, "", ""), "login_or_email jdoe@example.com", "iss_sub"},
		"in both, two addresses":    {about("", `{"format":"iss_sub","iss":"https://tr.example.com/","sub":"joe@example.com"}`, `{"format":"iss_sub","iss":"https://tr.example.com/","sub":"jane@example.com"}`), "", "iss_sub"},
		"sub, no text":              {about(`"sub":1,`, "", ""), "", "iss_sub"},
		"sub and sub_id":            {about(`"sub":"00u1abc",`, own, ""), "object_id 00u1abc", "iss_sub"},
		"sub and another sub_id":    {about(`"sub":"00u2",`, own, ""), "", "iss_sub"},
		"sub and a sub_id elsewise": {about(`"sub":"00u2",`, email, ""), "email jdoe@example.com", "email"},
		"nobody":                    {about("", "", ""), "", ""},
		"sub_id null":               {about("", "null", email), "email jdoe@example.com", "email"},
		"sub_id a text":             {about("", `"jdoe@example.com"`, ""), "", ""},
	} {
		e := normalise(t, c.claims).Events[0]
		got := ""
		if e.Account != nil {
			got = e.Account.Type + " " + e.Account.Value
		}
		if got != c.want || (got == "") == (e.NoAccount == "") {
			t.Errorf("%s: got %q (%s), want %q", name, got, e.NoAccount, c.want)
		}
		if f, _ := e.Subject["format"].(string); f != c.format {
			t.Errorf("%s: format %q, want %q", name, f, c.format)
		}
		if strings.HasPrefix(name, "complex") != (e.Complex != nil) && name != "in both, one account" {
			t.Errorf("%s: complex is %s", name, e.Complex)
		}
	}
}

func TestNamesAndTimesOfEvents(t *testing.T) {
	for uri, want := range map[string]string{
		"https://schemas.openid.net/secevent/caep/event-type/session-revoked":       "caep/session-revoked",
		"https://schemas.openid.net/secevent/risc/event-type/credential-compromise": "risc/credential-compromise",
		"https://schemas.openid.net/secevent/ssf/event-type/verification":           "ssf/verification",
		"https://schemas.openid.net/secevent/sse/event-type/verification":           "ssf/verification",
		"https://schemas.openid.net/secevent/oauth/event-type/token-revoked":        "oauth/token-revoked",
		"https://schemas.okta.com/secevent/okta/event-type/user-risk-change":        "okta/user-risk-change",
	} {
		if got := normalise(t, `{"events":{"`+uri+`":{}}}`).Events[0]; got.Name != want || got.Type != uri {
			t.Errorf("%s: %q", uri, got.Name)
		}
	}
	for _, uri := range []string{
		"http://schemas.openid.net/secevent/caep/event-type/session-revoked", "https://schemas.openid.net.example.com/secevent/caep/event-type/session-revoked",
		"https://schemas.openid.net/secevent/caep/event-type/session-revoked/x", "https://schemas.openid.net/secevent/x/event-type/session-revoked",
		"https://schemas.okta.com/secevent/caep/event-type/session-revoked", "https://schemas.openid.net/secevent/okta/event-type/x",
		"https://schemas.openid.net/secevent/caep/event-type/session-revoked ", "urn:ietf:params:event:SCIM:password",
	} {
		if got := normalise(t, `{"events":{"`+uri+`":{}}}`).Events[0].Name; got != uri {
			t.Errorf("%s is called %s", uri, got)
		}
	}
	for raw, want := range map[string]string{
		"1600975810":           "2020-09-24T19:30:10Z",
		"1600975810.5":         "2020-09-24T19:30:10.5Z",
		"1600975810123":        "2020-09-24T19:30:10.123Z",
		"1600975810123.5":      "2020-09-24T19:30:10.1235Z",
		"99999999999":          "5138-11-16T09:46:39Z",
		"100000000000":         "1973-03-03T09:46:40Z", // as milliseconds: nobody reports what happens in 5138
		"0":                    "2020-09-24T19:30:00Z", // toe
		"-5":                   "2020-09-24T19:30:00Z",
		"1.6e9":                "2020-09-24T19:30:00Z",
		"99999999999999999999": "2020-09-24T19:30:00Z",
		"null":                 "2020-09-24T19:30:00Z",
		`"1600975810"`:         "2020-09-24T19:30:00Z",
	} {
		if got := normalise(t, `{"toe":1600975800,"events":{"urn:x":{"event_timestamp":`+raw+`}}}`).Events[0].Timestamp; got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	if got := normalise(t, `{"iat":1600975800,"events":{"urn:x":{}}}`).Events[0].Timestamp; got != "" {
		t.Errorf("without a time: %s", got)
	}
}

func TestWhatIsNormalisedIsWhatWasSaid(t *testing.T) {
	claims := `{"iss":"https://tr.example.com","jti":"a","iat":1795348800.250,"aud":["x","y"],"txn":"t","sub_id":{"format":"complex","user":{"format":"email","email":"ä@example.com"},"n":12345678901234567890},
	 "events":{"urn:b":{"n":9007199254740993,"e":1E+2,"s":"<\u00e4>","o":{"z":1,"a":null}},"urn:a":{}}}`
	text, err := verify.NormaliseSET([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"iat":1795348800.250`, `"aud":["x","y"]`, `"txn":"t"`, `"n":12345678901234567890`, `"n":9007199254740993,"e":1E+2,"s":"<ä>","o":{"z":1,"a":null}`,
		`"email":"ä@example.com"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if n := normalise(t, claims); len(n.Events) != 2 || n.Events[0].Type != "urn:b" || n.Events[1].Type != "urn:a" || n.Events[1].Account == nil {
		t.Errorf("the events: %+v", n.Events)
	}
	if n := normalise(t, `{"events":{"urn:x":{}}}`); len(n.Audience) > 0 || n.SubID != nil {
		t.Errorf("of nothing came %+v", n)
	}
	for name, claims := range map[string]string{
		"no JSON": "x", "null": "null", "a list": "[]", "nothing": "", "two": "{}{}", "no events": "{}", "events twice": `{"events":{"urn:x":{}},"events":{"urn:x":{}}}`,
		"event twice": `{"events":{"urn:x":{},"urn:x":{}}}`, "escaped twice": `{"events":{"urn:x":{},"urn:\u0078":{}}}`, "inside twice": `{"events":{"urn:x":{"a":1,"a":1}}}`,
		"iss": `{"iss":1,"events":{"urn:x":{}}}`, "jti": `{"jti":1,"events":{"urn:x":{}}}`, "aud": `{"aud":1,"events":{"urn:x":{}}}`, "txn": `{"txn":1,"events":{"urn:x":{}}}`,
		"iat": `{"iat":{},"events":{"urn:x":{}}}`, "no URI": `{"events":{":":{}}}`, "toe": `{"toe":"x","events":{"urn:x":{}}}`, "half a character": `{"events":{"urn:x":{"a":"\ud800"}}}`,
	} {
		if text, err := verify.NormaliseSET([]byte(claims)); reasonOf(err) != verify.ReasonMalformedToken {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
}

func TestPublishedTokens(t *testing.T) {
	for file, want := range map[string]struct{ name, format, subject string }{
		"risc-account-disabled-hijacking.json": {"risc/account-disabled", "iss_sub", "7375626A656374"},
		"risc-credential-compromise.json":      {"risc/credential-compromise", "iss_sub", "joe.smith@example.com"},
		"ssf-verification-event.json":          {"ssf/verification", "opaque", ""},
	} {
		text, err := os.ReadFile(filepath.Join(payloads(), file))
		if err != nil {
			t.Skip("the published bodies are missing: name their folder in RESETD_TEST_PAYLOADS")
		}
		e := normalise(t, string(text)).Events[0]
		sub, _ := e.Subject["sub"].(string)
		if e.Name != want.name || e.Subject["format"] != want.format || sub != want.subject {
			t.Errorf("%s: %+v", file, e)
		}
		if (e.Account != nil) != (sub != "") {
			t.Errorf("%s: account %+v, %s", file, e.Account, e.NoAccount)
		}
	}
}
