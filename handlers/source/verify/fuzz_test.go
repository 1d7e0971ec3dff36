package verify_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
)

// FuzzToken looks for a token that is taken without having been signed, whatever its parts are.
func FuzzToken(f *testing.F) {
	file := keyFile(f, edJWK("a"), jwk("rsa", rsaKey().Public()))
	jwt, set := mustOpen(f, publicJWT(file), verify.Options{}), mustOpen(f, publicSET(f), verify.Options{})
	good := token("EdDSA", edKey(), map[string]any{"kid": "a"}, goodClaims())
	event := token("RS256", rsaKey(), map[string]any{"kid": "rsa", "typ": "secevent+jwt"}, setClaims())
	for _, s := range []string{good, event, "", "..", "a.b.c", good + "=", strings.ToLower(good), strings.Replace(good, ".", "..", 1), "eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".",
		rawToken(`{"alg":"EdDSA","kid":"a","crit":[]}`, `{}`, "EdDSA", edKey()), rawToken(`{"alg":"HS256","kid":"rsa"}`, `{}`, "HS256", "x")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := jwt.Verify(t.Context(), &verify.Delivery{Header: http.Header{"Authorization": {"Bearer " + s}}}, noon); err == nil && s != good {
			t.Errorf("taken: %q", s)
		} else if err != nil && !known(reasonOf(err)) {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := set.Verify(t.Context(), &verify.Delivery{Body: []byte(s)}, noon); err == nil && s != event {
			t.Errorf("taken: %q", s)
		} else if err != nil && !known(reasonOf(err)) {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// FuzzSignedClaims signs whatever claims there are, so that what stands behind the signature is reached too.
func FuzzSignedClaims(f *testing.F) {
	s := mustOpen(f, publicSET(f), verify.Options{})
	good := string(must(json.Marshal(setClaims())))
	for _, c := range []string{good, strings.Replace(good, `"iat":`, `"iat":1e`, 1), strings.Replace(good, `"4711"`, `"\ud800"`, 1), strings.Replace(good, `{}`, `[]`, 1), `{"iss":"a","iss":"b"}`, "null"} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		body := rawToken(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt"}`, claims, "EdDSA", edKey())
		p, err := s.Verify(t.Context(), &verify.Delivery{Body: []byte(body)}, noon)
		if err != nil {
			if !known(reasonOf(err)) {
				t.Errorf("%q: %v", claims, err)
			}
			return
		}
		if string(p.Payload) != claims || p.ID == "" || p.At.IsZero() || p.At.After(noon.Add(5*60e9)) {
			t.Errorf("%q vouches for %+v", claims, p)
		}
		if _, err := verify.NormaliseSET(p.Payload); err != nil && !known(reasonOf(err)) {
			t.Errorf("%q: %v", claims, err)
		}
	})
}

func known(r verify.Reason) bool {
	for _, k := range verify.Reasons() {
		if k == r {
			return true
		}
	}
	return false
}

// FuzzNormaliseSET holds the form of what comes out: valid JSON, an account of a valid form or a reason why there is none,
// and the same again when it is done twice.
func FuzzNormaliseSET(f *testing.F) {
	for _, c := range []string{about("", `{"format":"email","email":"a@b"}`, ""), about(`"sub":"x",`, "", `{"subject_type":"iss-sub","iss":"https://tr.example.com","sub":"1"}`),
		about("", `{"format":"aliases","identifiers":[{"format":"account","uri":"acct:a@b"},{"format":"email","email":"a@b"}]}`, ""),
		about(`"toe":1600975800.5,`, `{"format":"complex","user":{"format":"opaque","id":"1"}}`, `{"user":{"email":"x"}}`), `{"events":{"urn:x":{"event_timestamp":1600975810123}}}`, "", "[]"} {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		text, err := verify.NormaliseSET(claims)
		if err != nil {
			if reasonOf(err) != verify.ReasonMalformedToken {
				t.Errorf("%q: %v", claims, err)
			}
			return
		}
		var n normal
		if err := json.Unmarshal(text, &n); err != nil || len(n.Events) == 0 {
			t.Fatalf("%q gives %q: %v", claims, text, err)
		}
		for _, e := range n.Events {
			if (e.Account == nil) == (e.NoAccount == "") {
				t.Errorf("%q gives %q", claims, text)
			}
			if e.Account != nil {
				if err := (schemas.Account{Type: schemas.AccountType(e.Account.Type), Value: e.Account.Value}).Check(); err != nil {
					t.Errorf("%q gives an account that is none: %v", claims, err)
				}
			}
		}
		if again, err := verify.NormaliseSET(claims); err != nil || string(again) != string(text) {
			t.Errorf("%q gives %q, and then %q", claims, text, again)
		}
	})
}

// FuzzHandedOverCertificate wants a certificate or a refusal, and never two readings of one text.
func FuzzHandedOverCertificate(f *testing.F) {
	id := client(nil, "soar.example.com")
	for _, s := range []string{nginxEscape(id.pem()), awsEscape(id.pem() + id.pem()), ":" + string(must(json.Marshal(id.cert.Raw)))[1:] + ":", "::", "", "-----BEGIN CERTIFICATE-----", "%2D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		leaf, between, err := verify.ParseHandedOver(s)
		if err != nil {
			if reasonOf(err) != verify.ReasonWrongCertificate || leaf != nil || between != nil {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if leaf == nil || len(between) > 9 {
			t.Errorf("%q: %v and %d", s, leaf, len(between))
		}
	})
}
