package handlers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
)

const setKey = "set-Xk3Tq7Wx2Zc9Lm4Vb6Yp1Jn5Hd0Gs8Rw"

// transmitter is a source that sends security event tokens, signed with a shared secret.
func transmitter(change ...func(*source.Config)) source.Config {
	c := source.Config{Name: "idp", Preset: "ssf", Profile: keyed(setKey)}
	c.Profile.Verify.Token.Issuer, c.Profile.Verify.Token.Audience = "https://idp.example.com", []string{"https://resetd.example.com"}
	for _, f := range change {
		f(&c)
	}
	return c
}

// compromised is a token that reports a stolen password; change alters its claims.
func compromised(t testing.TB, change func(map[string]any)) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://idp.example.com", "aud": "https://resetd.example.com", "jti": "j1", "iat": clock.Unix(),
		"sub_id": map[string]any{"format": "email", "email": "jdoe@example.com"},
		"events": map[string]any{"https://schemas.openid.net/secevent/risc/event-type/credential-compromise": map[string]any{"credential_type": "password"}},
	}
	if change != nil {
		change(claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"typ":"secevent+jwt","alg":"HS256"}`)) + "." + b64(payload)
	mac := hmac.New(sha256.New, []byte(setKey))
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

func (f *fixture) push(token string, change ...func(*http.Request)) answer {
	f.t.Helper()
	f.fast = true // openapi.yaml describes resetd's own body
	r := httptest.NewRequest(http.MethodPost, "/v1/hooks/idp", strings.NewReader(token))
	r.Header.Set("Content-Type", "application/secevent+jwt")
	for _, c := range change {
		c(r)
	}
	return f.do(r)
}

func TestTransmitterIsAnsweredByRFC8935(t *testing.T) {
	f := newFixture(t, withSources(t, transmitter()))
	if a := f.push(compromised(t, nil)); a.StatusCode != 202 || a.body != "" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	// The same event, written anew: it is known by its jti, and its claims must not have changed.
	if a := f.push(compromised(t, nil)); a.StatusCode != 202 || len(f.tasks.submissions()) != 1 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for name, c := range map[string]struct {
		token, code string
		change      func(*http.Request)
	}{
		"another audience":   {compromised(t, func(c map[string]any) { c["aud"] = "https://other.example.com" }), "invalid_audience", nil},
		"another issuer":     {compromised(t, func(c map[string]any) { c["iss"] = "https://other.example.com" }), "invalid_issuer", nil},
		"another signature":  {compromised(t, nil)[:100] + "." + strings.Repeat("A", 43), "invalid_request", nil},
		"a spoilt signature": {strings.TrimRight(compromised(t, nil), "AEIMQUYcgkosw048") + "A", "invalid_key", nil},
		"no token":           {"{}", "invalid_request", nil},
		"another media type": {compromised(t, nil), "invalid_request", header("Content-Type", "application/json")},
		"an old event":       {compromised(t, func(c map[string]any) { c["jti"], c["iat"] = "j2", clock.Add(-25*time.Hour).Unix() }), "invalid_request", nil},
		"the same jti":       {compromised(t, func(c map[string]any) { c["txn"] = "x" }), "invalid_request", nil},
		"nobody for certain": {compromised(t, func(c map[string]any) { c["jti"], c["sub_id"] = "j3", map[string]any{"format": "opaque", "id": "x"} }), "invalid_request", nil},
	} {
		t.Run(name, func(t *testing.T) {
			change := []func(*http.Request){}
			if c.change != nil {
				change = append(change, c.change)
			}
			a := f.push(c.token, change...)
			var got struct{ Err, Description string }
			if err := json.Unmarshal([]byte(a.body), &got); a.StatusCode != 400 || err != nil || got.Err != c.code || got.Description == "" {
				t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
			}
			h := a.Header
			if h.Get("Content-Type") != "application/json" || h.Get("Content-Language") != "en" || h.Get("WWW-Authenticate") != "" {
				t.Errorf("%v", h)
			}
		})
	}
}

func TestTransmitterThatMayNotAskIsDenied(t *testing.T) {
	f := newFixture(t, withSources(t, transmitter()))
	f.tasks.fail = schemas.ErrForbidden
	if a := f.push(compromised(t, nil)); a.StatusCode != 400 || !strings.Contains(a.body, `"err":"access_denied"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// What passes must not look like a fault of the token, or the transmitter drops the event.
func TestTransmitterComesAgainWhenItIsNotItsFault(t *testing.T) {
	f := newFixture(t, withSources(t, transmitter(func(c *source.Config) { c.Limits.Deliveries = source.Rate{Count: 1, Per: time.Minute} })))
	f.tasks.fail = schemas.ErrOverloaded
	if a := f.push(compromised(t, nil)); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := f.push(compromised(t, nil)); a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	keyless := transmitter(func(c *source.Config) {
		c.Profile.Verify.Keys, c.Profile.Verify.Token.JWKS = nil, "http://127.0.0.1:1/keys"
		c.Profile.Verify.Token.Algorithms = []string{"RS256"}
	})
	f = newFixture(t, withSources(t, keyless))
	token := strings.Replace(compromised(t, nil), base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"secevent+jwt","alg":"HS256"}`)),
		base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"secevent+jwt","alg":"RS256","kid":"a"}`)), 1)
	if a := f.push(token); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestStreamIsVerifiedWithoutAReset(t *testing.T) {
	f := newFixture(t, withSources(t, transmitter()))
	a := f.push(compromised(t, func(c map[string]any) {
		c["events"] = map[string]any{"https://schemas.openid.net/secevent/ssf/event-type/verification": map[string]any{"state": "s"}}
	}))
	if a.StatusCode != 202 || a.body != "" || len(f.tasks.submissions()) != 0 || !strings.Contains(f.log.String(), `"code":"handshake"`) {
		t.Errorf("%d %s %s", a.StatusCode, a.body, f.log)
	}
}
