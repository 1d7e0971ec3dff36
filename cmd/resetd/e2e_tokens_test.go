package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// A token of an issuer proves its sender; one for another service, or signed by a stranger, does not.
func TestEndToEndTokenOfAnIssuer(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, withSources("  - name: sentinel\n    preset: native\n    verify: {scheme: jwt, token: {issuer: \"https://idp.example.com\", jwks: \"file:jwks.json\", audience: [resetd], claims: {azp: siem}}}\n    systems: [corp-ldap]\n",
		map[string]string{"jwks.json": string(keys)}))
	token := func(by *ecdsa.PrivateKey, audience string) map[string]string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: by, KeyID: "k1"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		text, err := jwt.Signed(signer).Claims(map[string]any{"iss": "https://idp.example.com", "aud": audience, "azp": "siem", "sub": "app", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"Authorization": "Bearer " + text}
	}
	body, err := harness.Body(s.slapd.Person(testserver.JDoe).Mail)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.foreign(http.DefaultClient, "sentinel", string(body), token(key, "another")); status != http.StatusUnauthorized {
		t.Errorf("a token for another service gives %d", status)
	}
	if status, _ := s.foreign(http.DefaultClient, "sentinel", string(body), token(stranger, "resetd")); status != http.StatusUnauthorized {
		t.Errorf("a token of a stranger gives %d", status)
	}
	good := token(key, "resetd")
	status, id := s.foreign(http.DefaultClient, "sentinel", string(body), good)
	if status != http.StatusAccepted || s.final(id).Status != schemas.StatusSuccessful {
		t.Fatalf("HTTP %d\n%s", status, s.log)
	}
	if strings.Contains(s.log.String(), good["Authorization"][20:60]) {
		t.Error("the token is in the log")
	}
}

// A security event token that tells of a hijacked account leads to a reset; the answers are those of RFC 8935, and what
// reports a reset, or is about the stream, asks for nothing.
func TestEndToEndSecurityEventToken(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, withSources("  - name: risc\n    preset: ssf\n    verify: {token: {issuer: \"https://idp.example.com\", jwks: \"file:jwks.json\", audience: [\"https://resetd.example.com\"]}}\n    systems: [corp-ldap]\n",
		map[string]string{"jwks.json": string(keys)}))
	who := s.slapd.Person(testserver.JDoe)
	send := func(audience, event string, body map[string]any) (int, string) {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, (&jose.SignerOptions{}).WithType("secevent+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(signer).Claims(map[string]any{"iss": "https://idp.example.com", "aud": audience, "jti": uuid.NewString(), "iat": time.Now().Unix(),
			"sub_id": map[string]string{"format": "email", "email": who.Mail}, "events": map[string]any{event: body}}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/v1/hooks/risc", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/secevent+jwt")
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		got, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(got)
	}
	const risc, caep, ssf = "https://schemas.openid.net/secevent/risc/event-type/", "https://schemas.openid.net/secevent/caep/event-type/", "https://schemas.openid.net/secevent/ssf/event-type/"
	if status, body := send("https://other.example.com", risc+"account-disabled", map[string]any{"reason": "hijacking"}); status != 400 || !strings.Contains(body, `"err":"invalid_audience"`) {
		t.Errorf("another audience: %d %s", status, body)
	}
	for event, body := range map[string]map[string]any{caep + "credential-change": {"change_type": "update", "credential_type": "password"}, ssf + "verification": {"state": "abc"},
		risc + "account-disabled": {"reason": "bulk-account"}} {
		if status, got := send("https://resetd.example.com", event, body); status != 202 || got != "" {
			t.Errorf("%s: %d %s", event, status, got)
		}
	}
	var page schemas.TaskPage
	if code, err := s.client.Get(t.Context(), "/v1/tasks", &page); err != nil || code != 200 || len(page.Tasks) != 0 {
		t.Fatalf("%d, %v, %+v", code, err, page.Tasks)
	}
	if status, got := send("https://resetd.example.com", risc+"account-disabled", map[string]any{"reason": "hijacking"}); status != 202 || got != "" {
		t.Fatalf("%d %s\n%s", status, got, s.log)
	}
	if task := s.final(s.newest().ID); task.Status != schemas.StatusSuccessful || task.Request.Account != (schemas.Account{Type: schemas.AccountEmail, Value: who.Mail}) {
		t.Errorf("%+v", task)
	}
}
