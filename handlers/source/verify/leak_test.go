package verify_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// traces are the forms in which a secret could show: parts of eight characters of it, raw, in hexadecimal, in base64 and as
// fmt lists bytes.
func traces(secret string) (out []string) {
	for i := 0; i+8 <= len(secret); i++ {
		part := []byte(secret[i : i+8])
		out = append(out, string(part), hex.EncodeToString(part), fmt.Sprintf("%X", part), strings.Trim(fmt.Sprint(part), "[]"),
			strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte"), "{}"))
	}
	return append(out, base64.StdEncoding.EncodeToString([]byte(secret))[:12])
}

func leaks(text string, secrets ...string) string {
	for _, s := range secrets {
		if found := shows(text, traces(s)); found != "" {
			return found
		}
	}
	return ""
}

func shows(text string, traces []string) string {
	for _, trace := range traces {
		if strings.Contains(text, trace) {
			return trace
		}
	}
	return ""
}

func TestTheLeakSearchFindsLeaks(t *testing.T) {
	for _, text := range []string{"x" + secretA[3:12], fmt.Sprint([]byte(secretA)), fmt.Sprintf("%x", secretA), fmt.Sprintf("%#v", []byte(secretA))} {
		if leaks(text, secretB, secretA) == "" {
			t.Errorf("nothing found in %q", text)
		}
	}
	if found := leaks("nothing to see here", secretA); found != "" {
		t.Errorf("%q found in nothing", found)
	}
}

// TestSchemesShowNoSecret prints every scheme in every way after a delivery.
func TestSchemesShowNoSecret(t *testing.T) {
	whsec := signature.GenerateSymmetric().Reveal()
	basic := shared(sender.SharedSecret{In: "basic", User: "splunk"})
	url := shared(sender.SharedSecret{In: "url"})
	for name, v := range map[string]sender.Verify{
		"standard": {Scheme: "standard-webhooks", Keys: secrets(whsec)}, "header": sharedHeader(), "basic": basic, "url": url,
		"jwt": {Scheme: "jwt", Keys: secrets(hmacKey)},
		"set": {Scheme: "ssf-set", Keys: secrets(hmacKey), Token: sender.Token{Issuer: "x", Audience: []string{"y"}}},
	} {
		s := mustOpen(t, v, verify.Options{})
		for _, d := range []*verify.Delivery{delivery("{}", "X-Secret", secretA), delivery("{}", "Authorization", basicOf("splunk:"+secretA)),
			withBearer(token("HS256", hmacKey, nil, goodClaims()))} {
			_, _ = s.Verify(t.Context(), d, noon)
		}
		var all []string
		for _, secret := range []string{secretA, secretB, hmacKey, whsec[6:]} {
			all = append(all, traces(secret)...)
		}
		for verb := rune('A'); verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#"} {
				for _, x := range []any{s, &s, []verify.Scheme{s}, map[string]any{"a": s}, struct{ s verify.Scheme }{s}} {
					if found := shows(fmt.Sprintf("%"+flags+string(verb), x), all); found != "" {
						t.Fatalf("%s: %%%s%c of %T shows %q", name, flags, verb, x, found)
					}
				}
			}
		}
		text, _ := json.Marshal(s)
		more, _ := yaml.Marshal(s)
		if found := shows(string(text)+string(more), all); found != "" {
			t.Errorf("%s: an encoder shows %q", name, found)
		}
	}
}

// TestFaultsAndRefusalsShowNoSecret goes through what somebody could have put in a wrong place.
func TestFaultsAndRefusalsShowNoSecret(t *testing.T) {
	const secret = "s3cr3t-s3cr3t-s3cr3t!"
	for name, v := range map[string]sender.Verify{
		"a short one":     {Scheme: "shared-secret", Keys: secrets(secret[:15]), Secret: sender.SharedSecret{In: "url"}},
		"with a break":    {Scheme: "shared-secret", Keys: secrets(secret + "\n"), Secret: sender.SharedSecret{In: "bearer"}},
		"twice":           {Scheme: "shared-secret", Keys: secrets(secret, secret), Secret: sender.SharedSecret{In: "bearer"}},
		"for a URL":       {Scheme: "shared-secret", Keys: secrets(secret), Secret: sender.SharedSecret{In: "url"}},
		"as a network":    {Scheme: "shared-secret", Keys: secrets(secretA), Secret: sender.SharedSecret{In: "url"}, AllowFrom: []string{secret, secret + "/24"}},
		"as a header":     {Scheme: "shared-secret", Keys: secrets(secretA), Secret: sender.SharedSecret{In: "header", Header: secret + " "}},
		"as a key":        {Scheme: "standard-webhooks", Keys: secrets(secret)},
		"as a pin":        {Scheme: "mtls", Certificate: sender.Certificate{SPKI: []string{secret}}},
		"as a name":       {Scheme: "mtls", Certificate: sender.Certificate{SPKI: []string{secret}, Names: []string{secret}}},
		"as an address":   {Scheme: "jwt", Token: sender.Token{JWKS: secret, Issuer: "x", Audience: []string{"y"}}},
		"in an address":   {Scheme: "jwt", Token: sender.Token{JWKS: "https://u:" + secret + "@x.example.com", Issuer: "x", Audience: []string{"y"}}},
		"for an HMAC":     {Scheme: "jwt", Keys: secrets(secret)},
		"PEM":             {Scheme: "jwt", Keys: secrets("-----BEGIN " + secret)},
		"as subject, too": {Scheme: "jwt", Keys: secrets(secret), Token: sender.Token{Subjects: []string{secret, ""}}},
	} {
		if _, err := verify.Open(v, verify.Options{}); err == nil || leaks(err.Error(), secret) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What a sender sent is not told either: the error may be logged, or shown to somebody else.
	public := publicJWT(keyFile(t, edJWK("a")))
	for name, v := range map[string]sender.Verify{"header": sharedHeader(), "bearer": shared(sender.SharedSecret{In: "bearer"}), "basic": shared(sender.SharedSecret{In: "basic", User: "u"}),
		"url": shared(sender.SharedSecret{In: "url"}), "jwt": public, "hs256": {Scheme: "jwt", Keys: secrets(hmacKey), Token: sender.Token{Issuer: "x"}}, "set": publicSET(t)} {
		s := mustOpen(t, v, verify.Options{})
		claims := with(goodClaims(), "sub", secret, "aud", secret, "iss", secret)
		for _, d := range []*verify.Delivery{delivery(secret, "X-Secret", secret), withBearer(secret), delivery(secret, "Authorization", basicOf("u:"+secret)),
			withBearer(token("EdDSA", edKey(), map[string]any{"kid": secret, "typ": secret}, claims)), withBearer(token("HS256", hmacKey, nil, claims)),
			delivery(token("EdDSA", edKey(), map[string]any{"kid": secret}, claims)), delivery(secret, "Authorization", secret, "Authorization", secret)} {
			d.Token = secret
			_, err := s.Verify(t.Context(), d, noon)
			if err == nil || leaks(err.Error(), secret, secretA, secretB, hmacKey) != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
