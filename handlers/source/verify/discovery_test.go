package verify_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

func TestWhereAnIssuerDescribesItself(t *testing.T) {
	for _, c := range []struct {
		issuer string
		events bool
		want   string // empty: refused
	}{
		{"https://login.example.com", false, "https://login.example.com/.well-known/openid-configuration"},
		{"https://login.example.com/", false, "https://login.example.com/.well-known/openid-configuration"},
		{"https://login.example.com/tenant/v2.0", false, "https://login.example.com/tenant/v2.0/.well-known/openid-configuration"},
		{"https://login.example.com:8443/a/", false, "https://login.example.com:8443/a/.well-known/openid-configuration"},
		{"https://tr.example.com", true, "https://tr.example.com/.well-known/ssf-configuration"},
		{"https://tr.example.com/", true, "https://tr.example.com/.well-known/ssf-configuration"},
		{"https://tr.example.com/issuer1", true, "https://tr.example.com/.well-known/ssf-configuration/issuer1"},
		{"https://tr.example.com:8443/a%2Fb/c/", true, "https://tr.example.com:8443/.well-known/ssf-configuration/a%2Fb/c"},
		{"http://127.0.0.1:1", true, "http://127.0.0.1:1/.well-known/ssf-configuration"},
		{"http://tr.example.com", true, ""},
		{"https://tr.example.com/?a=b", true, ""},
		{"https://tr.example.com/?", true, ""},
		{"https://tr.example.com/#a", false, ""},
		{"https://user@tr.example.com", false, ""},
		{"https://", false, ""},
		{"joe", false, ""},
		{"", false, ""},
	} {
		got, why := verify.DiscoveryURL(c.issuer, c.events)
		if got != c.want || (got == "") != (why != "") {
			t.Errorf("%s: got %q (%s), want %q", c.issuer, got, why, c.want)
		}
	}
}

// describes answers discovery at one path with a document, and the keys at /keys.
func describes(path string, document map[string]any, keys ...map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case path:
			says(200, string(must(json.Marshal(document))))(w, r)
		case "/keys":
			says(200, string(jwks(keys...)))(w, r)
		default:
			says(404, "")(w, r)
		}
	}
}

func TestKeysAreDiscovered(t *testing.T) {
	for name, c := range map[string]struct {
		scheme, path, suffix string
	}{
		"OpenID Connect":           {"jwt", "/.well-known/openid-configuration", ""},
		"OpenID Connect, a path":   {"jwt", "/tenant/.well-known/openid-configuration", "/tenant"},
		"OpenID Connect, a slash":  {"jwt", "/.well-known/openid-configuration", "/"},
		"Shared Signals":           {"ssf-set", "/.well-known/ssf-configuration", ""},
		"Shared Signals, a path":   {"ssf-set", "/.well-known/ssf-configuration/tenant", "/tenant"},
		"Shared Signals, the same": {"ssf-set", "/.well-known/ssf-configuration/tenant", "/tenant/"},
	} {
		i := newIssuer(t)
		own := i.URL + c.suffix
		i.does(describes(c.path, map[string]any{"issuer": own, "jwks_uri": i.URL + "/keys", "more": []int{1}}, edJWK("a")))
		s := mustOpen(t, sender.Verify{Scheme: c.scheme, Token: sender.Token{Issuer: own, Audience: []string{"resetd"}}}, verify.Options{})
		d := withBearer(token("EdDSA", edKey(), map[string]any{"kid": "a"}, with(goodClaims(), "iss", own)))
		if c.scheme == "ssf-set" {
			d = delivery(token("EdDSA", edKey(), map[string]any{"kid": "a", "typ": "secevent+jwt"}, with(setClaims(), "iss", own, "aud", "resetd")))
		}
		if _, err := s.Verify(t.Context(), d, noon); err != nil {
			t.Errorf("%s: %v (asked for %v)", name, err, i.hits)
		}
	}
}

func TestADescriptionOfSomebodyElseIsRefused(t *testing.T) {
	const path = "/.well-known/openid-configuration"
	for name, c := range map[string]struct {
		change func(own string) map[string]any
		log    string
	}{
		"another issuer": {func(own string) map[string]any {
			return map[string]any{"issuer": "https://x.example.com", "jwks_uri": own + "/keys"}
		}, "describes the issuer"},
		"a slash more": {func(own string) map[string]any { return map[string]any{"issuer": own + "/", "jwks_uri": own + "/keys"} }, "describes the issuer"},
		"no issuer":    {func(own string) map[string]any { return map[string]any{"jwks_uri": own + "/keys"} }, "describes the issuer"},
		"no keys":      {func(own string) map[string]any { return map[string]any{"issuer": own} }, "jwks_uri"},
		"keys by http": {func(own string) map[string]any {
			return map[string]any{"issuer": own, "jwks_uri": "http://x.example.com/keys"}
		}, "jwks_uri"},
		"keys in a file": {func(own string) map[string]any { return map[string]any{"issuer": own, "jwks_uri": "file:/etc/passwd"} }, "jwks_uri"},
		"keys of a user": {func(own string) map[string]any {
			return map[string]any{"issuer": own, "jwks_uri": "https://u:p@x.example.com"}
		}, "jwks_uri"},
		"keys not there": {func(own string) map[string]any { return map[string]any{"issuer": own, "jwks_uri": own + "/none"} }, "status 404"},
		"wrong type":     {func(own string) map[string]any { return map[string]any{"issuer": own, "jwks_uri": 1} }, "no JSON object"},
		"not a document": {func(string) map[string]any { return nil }, "describes the issuer"},
	} {
		i := newIssuer(t)
		i.does(describes(path, c.change(i.URL), edJWK("a")))
		v := publicJWT("")
		v.Token.Issuer = i.URL
		f := openFetching(t, v)
		_, err := f.Verify(t.Context(), withBearer(token("EdDSA", edKey(), map[string]any{"kid": "a"}, with(goodClaims(), "iss", i.URL))), noon)
		if reasonOf(err) != verify.ReasonKeysUnavailable || !strings.Contains(f.log.String(), c.log) {
			t.Errorf("%s: %v; the log: %s", name, err, f.log)
		}
	}
}
