package verify_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

const pinOfNothing = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

const (
	secretA = "aaaa-1111-bbbb-2222"
	secretB = "cccc-3333-dddd-4444"
	hmacKey = "kqv-8231-zzyx-0042-mmpl-7719-ttrr-5508-x"
)

func sharedHeader() sender.Verify {
	return sender.Verify{Scheme: "shared-secret", Keys: secrets(secretA, secretB), AllowFrom: []string{"192.0.2.0/24"},
		Secret: sender.SharedSecret{In: "header", Header: "x-secret"}}
}

func publicJWT(jwks string) sender.Verify {
	return sender.Verify{Scheme: "jwt", Token: sender.Token{Issuer: "https://issuer.example.com", JWKS: jwks, Audience: []string{"resetd"}}}
}

func TestSchemesAreThoseOfTheLanguage(t *testing.T) {
	want := []string{"hmac", "jwt", "mtls", "shared-secret", "ssf-set", "standard-webhooks"}
	if got := verify.Schemes(); !slices.Equal(got, want) {
		t.Fatalf("got %v", got)
	}
}

// TestEveryFaultIsToldUnderItsField opens what is wrong and wants exactly the fields that are named, in any order.
func TestEveryFaultIsToldUnderItsField(t *testing.T) {
	dir := t.TempDir()
	notPEM := filepath.Join(dir, "not.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 2000)
	type change = func(*sender.Verify)
	for name, c := range map[string]struct {
		base   sender.Verify
		change change
		want   string // fields, comma-separated
	}{
		"no scheme":      {sender.Verify{}, nil, "scheme"},
		"unknown scheme": {sender.Verify{Scheme: "none"}, nil, "scheme"},

		"standard: no key":       {sender.Verify{Scheme: "standard-webhooks"}, nil, "keys"},
		"standard: bad keys":     {sender.Verify{Scheme: "standard-webhooks", Keys: secrets("whsec_x", "", "nothing")}, nil, "keys[0],keys[1],keys[2]"},
		"standard: twice":        {sender.Verify{Scheme: "standard-webhooks", Keys: secrets(signature.GenerateSymmetric().Reveal())}, func(v *sender.Verify) { v.Keys = append(v.Keys, v.Keys[0]) }, "keys[1]"},
		"standard: six keys":     {sender.Verify{Scheme: "standard-webhooks", Keys: sixKeys()}, nil, "keys"},
		"standard: short window": {sender.Verify{Scheme: "standard-webhooks", Keys: sixKeys()[:1], Tolerance: time.Millisecond}, nil, "tolerance"},
		"standard: past window":  {sender.Verify{Scheme: "standard-webhooks", Keys: sixKeys()[:1], Tolerance: -time.Minute}, nil, "tolerance"},
		"standard: foreign parts": {sender.Verify{Scheme: "standard-webhooks", Keys: sixKeys()[:1]}, func(v *sender.Verify) {
			v.Secret.In = "url"
			v.Token.Issuer = "x"
			v.Certificate.CA = "x"
			v.HMAC.Encoding = "hex"
		}, "certificate,hmac,secret,token"},

		"shared: no networks":    {sharedHeader(), func(v *sender.Verify) { v.AllowFrom = nil }, "allow_from"},
		"shared: empty networks": {sharedHeader(), func(v *sender.Verify) { v.AllowFrom = []string{} }, "allow_from"},
		"shared: bad networks": {sharedHeader(), func(v *sender.Verify) {
			v.AllowFrom = []string{"192.0.2.1", "x", "0.0.0.0/0", "::/0", "10.1.2.3/8", "fe80::1%eth0", "::ffff:0:0/90", "192.0.2.1:80", "192.0.2.0/33"}
		}, "allow_from[1],allow_from[2],allow_from[3],allow_from[4],allow_from[5],allow_from[6],allow_from[7],allow_from[8]"},
		"shared: no secrets":        {sharedHeader(), func(v *sender.Verify) { v.Keys = nil }, "keys"},
		"shared: weak secrets":      {sharedHeader(), func(v *sender.Verify) { v.Keys = secrets("short", secretA, "", secretA+"\n", " "+secretB, long) }, "keys,keys[0],keys[2],keys[3],keys[4],keys[5]"},
		"shared: known to all":      {sharedHeader(), func(v *sender.Verify) { v.Keys = secrets("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==") }, "keys[0]"},
		"shared: not for a header":  {sharedHeader(), func(v *sender.Verify) { v.Keys = secrets("umlaut-ä-umlaut-ä") }, "keys[0]"},
		"shared: no place":          {sharedHeader(), func(v *sender.Verify) { v.Secret = sender.SharedSecret{} }, "secret.in"},
		"shared: bad place":         {sharedHeader(), func(v *sender.Verify) { v.Secret.In = "body" }, "secret.in"},
		"shared: no header":         {sharedHeader(), func(v *sender.Verify) { v.Secret.Header = "" }, "secret.header"},
		"shared: bad header":        {sharedHeader(), func(v *sender.Verify) { v.Secret.Header = "X Secret:" }, "secret.header"},
		"shared: host":              {sharedHeader(), func(v *sender.Verify) { v.Secret.Header = "host" }, "secret.header"},
		"shared: header for bearer": {sharedHeader(), func(v *sender.Verify) { v.Secret.In = "bearer" }, "secret.header"},
		"shared: spaces for bearer": {sharedHeader(), func(v *sender.Verify) {
			v.Secret = sender.SharedSecret{In: "bearer"}
			v.Keys = secrets("Bearer aaaa-1111-bbbb")
		}, "keys[0]"},
		"shared: no user":         {sharedHeader(), func(v *sender.Verify) { v.Secret = sender.SharedSecret{In: "basic"} }, "secret.user"},
		"shared: user with colon": {sharedHeader(), func(v *sender.Verify) { v.Secret = sender.SharedSecret{In: "basic", User: "a:b"} }, "secret.user"},
		"shared: user for url":    {sharedHeader(), func(v *sender.Verify) { v.Secret = sender.SharedSecret{In: "url", User: "a"} }, "secret.user"},
		"shared: not for a url": {sharedHeader(), func(v *sender.Verify) {
			v.Secret = sender.SharedSecret{In: "url"}
			v.Keys = secrets("aaaa/1111?bbbb%2222", secretA)
		}, "keys[0]"},
		"shared: tolerance": {sharedHeader(), func(v *sender.Verify) { v.Tolerance = time.Minute }, "tolerance"},

		"mtls: nothing":       {sender.Verify{Scheme: "mtls"}, nil, "certificate.ca"},
		"mtls: any of the CA": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) { v.Certificate.CA = notPEM }, "certificate.ca,certificate.names"},
		"mtls: names, no CA": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) {
			v.Certificate.Names = []string{"dns:a"}
			v.Certificate.SPKI = []string{pinOfNothing}
		}, "certificate.names"},
		"mtls: no such file": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) { v.Certificate.CA = dir + "/none"; v.Certificate.SPKI = []string{pinOfNothing} }, "certificate.ca"},
		"mtls: bad pins": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) {
			v.Certificate.SPKI = []string{pinOfNothing, "sha1/AAAA", "sha256/AAAA", pinOfNothing[7:]}
		}, "certificate.spki[1],certificate.spki[2],certificate.spki[3]"},
		"mtls: header, no one": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) {
			v.Certificate.SPKI = []string{pinOfNothing}
			v.Certificate.ProxyHeader = "X-Cert"
		}, "certificate.proxy_from"},
		"mtls: one, no header": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) {
			v.Certificate.SPKI = []string{pinOfNothing}
			v.Certificate.ProxyFrom = []string{"10.0.0.1", "::/0"}
		}, "certificate.proxy_from[1],certificate.proxy_header"},
		"mtls: bad names": {sender.Verify{Scheme: "mtls"}, func(v *sender.Verify) {
			v.Certificate.CA, v.Certificate.SPKI = notPEM, []string{pinOfNothing}
			v.Certificate.Names = []string{"dns:ok.example.com", "soar.example.com", "cn:x", "dns:", "dns:https://x", "uri:nothing", "email:a", "email:a@b@c", "ip:x", "ip:fe80::1%0"}
		}, "certificate.ca,certificate.names[1],certificate.names[2],certificate.names[3],certificate.names[4],certificate.names[5],certificate.names[6],certificate.names[7],certificate.names[8],certificate.names[9]"},
		"mtls: keys": {sender.Verify{Scheme: "mtls", Keys: secrets(secretA)}, func(v *sender.Verify) { v.Certificate.SPKI = []string{pinOfNothing} }, "keys"},

		"jwt: nothing":            {sender.Verify{Scheme: "jwt"}, nil, "token.audience,token.issuer"},
		"jwt: plain http":         {publicJWT("http://keys.example.com"), nil, "token.jwks"},
		"jwt: looks like us":      {publicJWT("http://127.0.0.1.example.com"), nil, "token.jwks"},
		"jwt: a password":         {publicJWT("https://u:p@keys.example.com"), nil, "token.jwks"},
		"jwt: no address":         {publicJWT("keys.json"), nil, "token.jwks"},
		"jwt: no such file":       {publicJWT("file:" + dir + "/none"), nil, "token.jwks"},
		"jwt: no key set":         {publicJWT("file:" + notPEM), nil, "token.jwks"},
		"jwt: issuer, no address": {publicJWT(""), func(v *sender.Verify) { v.Token.Issuer = "joe" }, "token.issuer"},
		"jwt: issuer by http":     {publicJWT(""), func(v *sender.Verify) { v.Token.Issuer = "http://issuer.example.com" }, "token.issuer"},
		"jwt: issuer with query":  {publicJWT(""), func(v *sender.Verify) { v.Token.Issuer = "https://issuer.example.com/?a" }, "token.issuer"},
		"jwt: none": {publicJWT("https://x.example.com"), func(v *sender.Verify) {
			v.Token.Algorithms = []string{"RS256", "none", "NONE", "HS256", "rs256", "RSA1_5"}
		}, "token.algorithms[1],token.algorithms[2],token.algorithms[3],token.algorithms[4],token.algorithms[5]"},
		"jwt: both kinds":        {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Keys = secrets(hmacKey); v.Token.CA = notPEM }, "token.ca,token.jwks"},
		"jwt: public, shared":    {publicJWT(""), func(v *sender.Verify) { v.Keys = secrets(hmacKey); v.Token.Algorithms = []string{"HS256", "RS256"} }, "token.algorithms[1]"},
		"jwt: short secret":      {publicJWT(""), func(v *sender.Verify) { v.Keys = secrets(hmacKey[:31], hmacKey) }, "keys[0]"},
		"jwt: short for 512":     {publicJWT(""), func(v *sender.Verify) { v.Keys = secrets(hmacKey); v.Token.Algorithms = []string{"HS512"} }, "keys[0]"},
		"jwt: a public key":      {publicJWT(""), func(v *sender.Verify) { v.Keys = secrets("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----") }, "keys[0]"},
		"jwt: claims of its own": {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Token.Claims = map[string]string{"iss": "x", "exp": "1", "azp": "y"} }, "token.claims.exp,token.claims.iss"},
		"jwt: empty pins":        {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Token.Subjects = []string{"a", ""}; v.Token.Audience = []string{""} }, "token.audience[0],token.subjects[1]"},
		"jwt: bad header":        {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Token.Header = "a b" }, "token.header"},
		"jwt: a secret too":      {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Secret.In = "bearer"; v.Token.Untyped = true }, "secret,token.untyped"},
		"jwt: bad CA":            {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Token.CA = notPEM }, "token.ca"},

		"set: nothing":           {sender.Verify{Scheme: "ssf-set"}, nil, "token.audience,token.issuer"},
		"set: shared, nothing":   {sender.Verify{Scheme: "ssf-set", Keys: secrets(hmacKey)}, nil, "token.audience,token.issuer"},
		"set: a header":          {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Scheme = "ssf-set"; v.Token.Header = "X-Token" }, "token.header"},
		"set: bearer, no secret": {publicJWT("https://x.example.com"), func(v *sender.Verify) { v.Scheme = "ssf-set"; v.Secret.In = "bearer" }, "keys"},
	} {
		v := c.base
		if c.change != nil {
			c.change(&v)
		}
		_, err := verify.Open(v, verify.Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
			continue
		}
		var got []string
		for line := range strings.SplitSeq(err.Error(), "\n") {
			field, text, _ := strings.Cut(line, ": ")
			got = append(got, strings.TrimPrefix(field, "verify."))
			if !strings.HasPrefix(field, "verify.") || len(text) < 20 {
				t.Errorf("%s: this does not name the field and say what to do: %q", name, line)
			}
		}
		slices.Sort(got)
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: got %v, want %s\n%v", name, got, c.want, err)
		}
	}
}

func sixKeys() (out []schemas.Secret) {
	for range 6 {
		out = append(out, secrets(signature.GenerateSymmetric().Reveal())...)
	}
	return out
}

func TestWhatIsRightOpensWithoutTouchingTheNetwork(t *testing.T) {
	for name, v := range map[string]sender.Verify{
		"standard":      {Scheme: "standard-webhooks", Keys: sixKeys()[:5], Tolerance: time.Hour, AllowFrom: []string{"2001:db8::/32"}},
		"header":        sharedHeader(),
		"jwks":          publicJWT("https://keys.example.com/certs?p=1"),
		"discovery":     publicJWT(""),
		"loopback":      publicJWT("http://127.0.0.1:1/keys"),
		"loopback v6":   publicJWT("http://[::1]:1/keys"),
		"localhost":     publicJWT("http://localhost:1/keys"),
		"HMAC, no more": {Scheme: "jwt", Keys: secrets(hmacKey)},
	} {
		if _, err := verify.Open(v, verify.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReasonsAreClosedAndDistinct(t *testing.T) {
	seen := map[verify.Reason]bool{}
	for _, r := range verify.Reasons() {
		if seen[r] || r == "" {
			t.Errorf("%q twice", r)
		}
		seen[r] = true
	}
	if !seen[verify.ReasonWrongType] || !seen[verify.Reason(signature.ReasonNoMatch)] {
		t.Error("one is missing")
	}
}
