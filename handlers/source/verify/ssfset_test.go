package verify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

const transmitter = "https://tr.example.com/"

func setClaims() map[string]any {
	return map[string]any{"iss": transmitter, "jti": "4711", "iat": noon.Unix(), "aud": "https://resetd.example.com",
		"sub_id": map[string]any{"format": "email", "email": "jdoe@example.com"},
		"events": map[string]any{"https://schemas.openid.net/secevent/risc/event-type/credential-compromise": map[string]any{"credential_type": "password"}}}
}

func publicSET(t testing.TB) sender.Verify {
	return sender.Verify{Scheme: "ssf-set", Token: sender.Token{Issuer: transmitter, Audience: []string{"https://resetd.example.com", "risc-client"},
		JWKS: keyFile(t, jwk("rsa", rsaKey().Public()), jwk("ed", edKey().Public()))}}
}

// set signs a security event token.
func set(claims map[string]any, header ...any) string {
	return token("RS256", rsaKey(), with(map[string]any{"kid": "rsa", "typ": "secevent+jwt"}, header...), claims)
}

func TestSecurityEventTokens(t *testing.T) {
	strict := mustOpen(t, publicSET(t), verify.Options{})
	v := publicSET(t)
	v.Token.Untyped = true
	lax := mustOpen(t, v, verify.Options{})
	v = publicSET(t)
	v.Token.Claims, v.Token.Subjects = map[string]string{"tenant": "t1"}, []string{"stream"}
	pinned := mustOpen(t, v, verify.Options{})
	good := setClaims()
	event := func(v any) map[string]any { return with(good, "events", v) }
	const ok, malformed, wrongType = "accepted", verify.ReasonMalformedToken, verify.ReasonWrongType
	many := map[string]any{}
	for n := range 33 {
		many["urn:example:"+strings.Repeat("x", n)] = map[string]any{}
	}
	for name, c := range map[string]struct {
		s    verify.Scheme
		body string
		want verify.Reason
		set  string // the code of RFC 8935
	}{
		"good":               {strict, set(good), ok, ""},
		"typ in full":        {strict, set(good, "typ", "Application/SecEvent+JWT"), ok, ""},
		"aud list":           {strict, set(with(good, "aud", []string{"x", "risc-client"})), ok, ""},
		"exp in the future":  {strict, set(with(good, "exp", noon.Unix()+1)), ok, ""},
		"sub too":            {strict, set(with(good, "sub", "x")), ok, ""},
		"a year old":         {strict, set(with(good, "iat", noon.Unix()-365*86400)), ok, ""}, // the caller judges by Proof.At
		"EdDSA":              {strict, token("EdDSA", edKey(), map[string]any{"kid": "ed", "typ": "secevent+jwt"}, good), ok, ""},
		"pins":               {pinned, set(with(good, "tenant", "t1", "sub", "stream")), ok, ""},
		"pins, other tenant": {pinned, set(with(good, "tenant", "t2", "sub", "stream")), verify.ReasonWrongClaim, "access_denied"},
		"pins, no sub":       {pinned, set(with(good, "tenant", "t1")), verify.ReasonWrongClaim, "access_denied"},

		"no typ":               {strict, set(good, "typ", nil), wrongType, "invalid_request"},
		"typ JWT":              {strict, set(good, "typ", "JWT"), wrongType, "invalid_request"},
		"typ at+jwt":           {strict, set(good, "typ", "at+jwt"), wrongType, "invalid_request"},
		"no typ, allowed":      {lax, set(good, "typ", nil), ok, ""},
		"typ JWT, allowed":     {lax, set(good, "typ", "JWT"), ok, ""},
		"typ, allowed anyway":  {lax, set(with(good, "sub", "x", "exp", noon.Unix()+1)), ok, ""},
		"at+jwt, never":        {lax, set(good, "typ", "at+jwt"), wrongType, "invalid_request"},
		"logout+jwt, never":    {lax, set(good, "typ", "logout+jwt"), wrongType, "invalid_request"},
		"untyped with exp":     {lax, set(with(good, "exp", noon.Unix()+1), "typ", nil), wrongType, "invalid_request"},
		"untyped with sub":     {lax, set(with(good, "sub", "x"), "typ", nil), wrongType, "invalid_request"},
		"an access token":      {lax, token("RS256", rsaKey(), kid("rsa"), with(goodClaims(), "iss", transmitter, "aud", "risc-client")), wrongType, "invalid_request"},
		"no events":            {strict, set(with(good, "events", nil)), malformed, "invalid_request"},
		"events empty":         {strict, set(event(map[string]any{})), malformed, "invalid_request"},
		"events a list":        {strict, set(event([]string{"urn:x"})), malformed, "invalid_request"},
		"events null":          {strict, set(event(json.RawMessage("null"))), malformed, "invalid_request"},
		"event null":           {strict, set(event(map[string]any{"urn:x": nil})), malformed, "invalid_request"},
		"event a text":         {strict, set(event(map[string]any{"urn:x": "y"})), malformed, "invalid_request"},
		"event no URI":         {strict, set(event(map[string]any{"x": map[string]any{}})), malformed, "invalid_request"},
		"event two lines":      {strict, set(event(map[string]any{"urn:\nx": map[string]any{}})), malformed, "invalid_request"},
		"events too many":      {strict, set(event(many)), malformed, "invalid_request"},
		"no jti":               {strict, set(with(good, "jti", nil)), malformed, "invalid_request"},
		"jti empty":            {strict, set(with(good, "jti", "")), malformed, "invalid_request"},
		"jti a number":         {strict, set(with(good, "jti", 1)), malformed, "invalid_request"},
		"jti long":             {strict, set(with(good, "jti", strings.Repeat("x", 513))), malformed, "invalid_request"},
		"no iat":               {strict, set(with(good, "iat", nil)), malformed, "invalid_request"},
		"iat in the future":    {strict, set(with(good, "iat", noon.Unix()+301)), verify.ReasonNotYet, "invalid_request"},
		"iat in milliseconds":  {strict, set(with(good, "iat", noon.UnixMilli())), malformed, "invalid_request"},
		"expired":              {strict, set(with(good, "exp", noon.Unix()-300)), verify.ReasonExpired, "invalid_request"},
		"iss other":            {strict, set(with(good, "iss", strings.TrimSuffix(transmitter, "/"))), verify.ReasonWrongIssuer, "invalid_issuer"},
		"iss missing":          {strict, set(with(good, "iss", nil)), verify.ReasonWrongIssuer, "invalid_issuer"},
		"aud other":            {strict, set(with(good, "aud", "x")), verify.ReasonWrongAudience, "invalid_audience"},
		"aud missing":          {strict, set(with(good, "aud", nil)), verify.ReasonWrongAudience, "invalid_audience"},
		"kid unknown":          {strict, set(good, "kid", "x"), verify.ReasonUnknownKey, "invalid_key"},
		"forged":               {strict, token("RS256", otherRSA(), map[string]any{"kid": "rsa", "typ": "secevent+jwt"}, good), "no_match", "invalid_key"},
		"HMAC by a public key": {strict, token("HS256", string(rsaKey().N.Bytes()), map[string]any{"kid": "rsa", "typ": "secevent+jwt"}, good), verify.ReasonWrongAlgorithm, "invalid_key"},
		"none":                 {strict, rawToken(`{"alg":"none","typ":"secevent+jwt"}`, string(must(json.Marshal(good))), "", nil), verify.ReasonWrongAlgorithm, "invalid_key"},
		"claims as JSON":       {strict, string(must(json.Marshal(good))), malformed, "invalid_request"},
		"nothing":              {strict, "", malformed, "invalid_request"},
		"a line break":         {strict, set(good) + "\n", malformed, "invalid_request"},
		"in JSON":              {strict, `"` + set(good) + `"`, malformed, "invalid_request"},
		"two":                  {strict, set(good) + "," + set(good), malformed, "invalid_request"},
		"huge":                 {strict, set(with(good, "pad", strings.Repeat("x", 64<<10))), malformed, "invalid_request"},
	} {
		p, err := c.s.Verify(t.Context(), delivery(c.body), noon)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", name, got, c.want, err)
			continue
		}
		if e, ok := err.(*verify.Error); ok && e.SET() != c.set {
			t.Errorf("%s: code %s, want %s", name, e.SET(), c.set)
		}
		if err == nil && (p.Who != transmitter || p.At.IsZero() || !strings.HasPrefix(p.ID, "set_") || len(p.ID) != 47) {
			t.Errorf("%s: it vouches for %+v", name, p)
		}
	}
	if c := strict.Covers(); c != (verify.Coverage{Body: true, Time: true, ID: true}) {
		t.Errorf("it covers %+v", c)
	}
}

func TestTheClaimsArriveByteForByte(t *testing.T) {
	s := mustOpen(t, publicSET(t), verify.Options{})
	claims := "{ \"iss\":\"" + transmitter + "\",\r\n\t\"jti\":\"a\\u0062\", \"iat\":1795348800.250,\"aud\":\"risc-client\",\"n\":12345678901234567890.10," +
		"\"events\":{\"urn:x\":{\"id\":9007199254740993,\"e\":1E+2}}}"
	p, err := s.Verify(t.Context(), delivery(rawToken(`{"alg":"RS256","kid":"rsa","typ":"secevent+jwt"}`, claims, "RS256", rsaKey())), noon)
	if err != nil || string(p.Payload) != claims || p.At.UnixMilli() != 1795348800250 {
		t.Errorf("%q, %v, %v", p.Payload, p.At, err)
	}
}

func TestTheIDJoinsIssuerAndJTIWithoutDoubt(t *testing.T) {
	ids := map[string]string{}
	for _, c := range [][2]string{{"https://a.example.com", "1"}, {"https://a.example.com", "11"}, {"https://a.example.com1", "1"}, {"https://a.example.com/", "1"}, {"https://a.example.com", "/1"}} {
		v := publicSET(t)
		v.Token.Issuer = c[0]
		s := mustOpen(t, v, verify.Options{})
		claims := with(setClaims(), "iss", c[0], "jti", c[1])
		p, err := s.Verify(t.Context(), delivery(set(claims)), noon)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := ids[p.ID]; twice {
			t.Errorf("%v has the id of %s", c, other)
		}
		ids[p.ID] = strings.Join(c[:], " ")
		// Signed anew, as a transmitter may do for another try, it is the same event.
		again, err := s.Verify(t.Context(), delivery(token("EdDSA", edKey(), map[string]any{"kid": "ed", "typ": "secevent+jwt"}, claims)), noon)
		if err != nil || again.ID != p.ID || string(again.Payload) != string(p.Payload) {
			t.Errorf("signed anew: %+v, %v", again, err)
		}
	}
}

func TestASecretBesideTheToken(t *testing.T) {
	v := publicSET(t)
	v.Keys, v.Secret = secrets(secretA, secretB), sender.SharedSecret{In: "bearer"}
	s := mustOpen(t, v, verify.Options{})
	body := set(setClaims())
	for name, c := range map[string]struct {
		body    string
		headers []string
		want    verify.Reason
		set     string
	}{
		"both":         {body, []string{"Authorization", "Bearer " + secretA}, "accepted", ""},
		"second":       {body, []string{"Authorization", "Bearer " + secretB}, "accepted", ""},
		"no bearer":    {body, nil, verify.ReasonMissingToken, "authentication_failed"},
		"wrong bearer": {body, []string{"Authorization", "Bearer " + secretA + "x"}, verify.ReasonWrongSecret, "authentication_failed"},
		"two bearers":  {body, []string{"Authorization", "Bearer " + secretA, "Authorization", "Bearer " + secretA}, "doubled_header", "authentication_failed"},
		"bearer alone": {"", []string{"Authorization", "Bearer " + secretA}, verify.ReasonMalformedToken, "invalid_request"},
		"HMAC of it":   {token("HS256", secretA+secretA, map[string]any{"typ": "secevent+jwt"}, setClaims()), []string{"Authorization", "Bearer " + secretA}, verify.ReasonWrongAlgorithm, "invalid_key"},
	} {
		_, err := s.Verify(t.Context(), delivery(c.body, c.headers...), noon)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if e, ok := err.(*verify.Error); ok && e.SET() != c.set {
			t.Errorf("%s: code %s, want %s", name, e.SET(), c.set)
		}
	}
}

func TestEventTokensOfASharedSecret(t *testing.T) {
	s := mustOpen(t, sender.Verify{Scheme: "ssf-set", Keys: secrets(hmacKey), Token: sender.Token{Issuer: transmitter, Audience: []string{"https://resetd.example.com"}}}, verify.Options{})
	typ := map[string]any{"typ": "secevent+jwt"}
	if _, err := s.Verify(t.Context(), delivery(token("HS256", hmacKey, typ, setClaims())), noon); err != nil {
		t.Error(err)
	}
	if _, err := s.Verify(t.Context(), delivery(token("HS256", hmacKey+"x", typ, setClaims())), noon); reasonOf(err) != "no_match" {
		t.Error(err)
	}
	if _, err := s.Verify(t.Context(), delivery(set(setClaims())), noon); reasonOf(err) != verify.ReasonWrongAlgorithm {
		t.Error(err)
	}
}

func TestEveryReasonHasACodeOfRFC8935(t *testing.T) {
	codes := map[string]bool{"invalid_request": true, "invalid_key": true, "invalid_issuer": true, "invalid_audience": true, "authentication_failed": true, "access_denied": true}
	used := map[string]bool{}
	for _, r := range verify.Reasons() {
		code := (&verify.Error{Reason: r}).SET()
		if !codes[code] {
			t.Errorf("%s has the code %q", r, code)
		}
		used[code] = true
	}
	if len(used) != len(codes) {
		t.Errorf("only %v are used", used)
	}
}
