package verify_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

const issuer = "https://issuer.example.com"

// goodClaims are those of an access token of a machine.
func goodClaims() map[string]any {
	return map[string]any{"iss": issuer, "aud": "resetd", "sub": "soar", "exp": noon.Unix() + 600, "iat": noon.Unix(), "jti": "1"}
}

// keyFile writes a key set to a file and gives token.jwks for it.
func keyFile(t testing.TB, keys ...map[string]any) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(name, jwks(keys...), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file:" + name
}

func allKeys() []map[string]any {
	return []map[string]any{
		jwk("rsa", rsaKey().Public()), jwk("other", otherRSA().Public()), jwk("weak", weakRSA().Public()), jwk("ec", ecKey().Public()),
		jwk("ec384", ec384().Public()), jwk("ed", edKey().Public()), jwk("enc", rsaKey().Public(), "use", "enc"),
		jwk("rs512", rsaKey().Public(), "alg", "RS512"), {"kty": "oct", "kid": "oct", "k": b64([]byte(hmacKey))},
		{"kty": "new", "kid": "new"}, {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
	}
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

func TestTokensOfPublicKeys(t *testing.T) {
	s := mustOpen(t, publicJWT(keyFile(t, allKeys()...)), verify.Options{})
	good := goodClaims()
	every := publicJWT(keyFile(t, allKeys()...))
	every.Token.Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	wide := mustOpen(t, every, verify.Options{})
	publicPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(rsaKey().Public()))}))
	right := token("RS256", rsaKey(), kid("rsa"), good)
	parts := strings.Split(right, ".")
	ownKey := map[string]any{"kid": "mine", "jwk": jwk("mine", edKey().Public())}
	const ok, malformed, algorithm, noMatch, unknown = "accepted", verify.ReasonMalformedToken, verify.ReasonWrongAlgorithm, verify.Reason("no_match"), verify.ReasonUnknownKey

	for name, c := range map[string]struct {
		s     verify.Scheme
		token string
		want  verify.Reason
	}{
		"RS256":                  {s, right, ok},
		"PS256":                  {s, token("PS256", rsaKey(), kid("rsa"), good), ok},
		"ES256":                  {s, token("ES256", ecKey(), kid("ec"), good), ok},
		"ES384":                  {s, token("ES384", ec384(), kid("ec384"), good), ok},
		"EdDSA":                  {s, token("EdDSA", edKey(), kid("ed"), good), ok},
		"RS512":                  {wide, token("RS512", rsaKey(), kid("rs512"), good), ok},
		"PS384":                  {wide, token("PS384", rsaKey(), kid("rsa"), good), ok},
		"no kid, the only one":   {s, token("EdDSA", edKey(), nil, good), ok},
		"no kid, one of several": {s, token("RS256", otherRSA(), nil, good), ok},
		"typ at+jwt":             {s, token("RS256", rsaKey(), with(kid("rsa"), "typ", "at+jwt"), good), ok},
		"typ application/at+JWT": {s, token("RS256", rsaKey(), with(kid("rsa"), "typ", "application/at+JWT"), good), ok},
		"no typ":                 {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), ok},

		"alg none":             {s, rawToken(`{"alg":"none","kid":"rsa"}`, string(must(json.Marshal(good))), "", nil), algorithm},
		"alg None, signed":     {s, rawToken(`{"alg":"None","kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), algorithm},
		"alg missing":          {s, rawToken(`{"kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), algorithm},
		"alg in another case":  {s, rawToken(`{"Alg":"RS256","kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), algorithm},
		"alg no text":          {s, rawToken(`{"alg":["RS256"],"kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"alg twice":            {s, rawToken(`{"alg":"none","alg":"RS256","kid":"rsa"}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"HS256 by public PEM":  {s, token("HS256", publicPEM, kid("rsa"), good), algorithm},
		"HS256 by public JWK":  {s, token("HS256", string(must(json.Marshal(jwk("rsa", rsaKey().Public())))), kid("rsa"), good), algorithm},
		"HS256 by the oct key": {s, token("HS256", hmacKey, kid("oct"), good), algorithm},
		"not allowed":          {s, token("RS512", rsaKey(), kid("rs512"), good), algorithm},
		"for another alg":      {s, token("RS256", rsaKey(), kid("rs512"), good), algorithm},
		"key of another kind":  {s, token("ES256", ecKey(), kid("rsa"), good), algorithm},
		"PS as RS":             {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, string(must(json.Marshal(good))), "PS256", rsaKey()), noMatch},
		"P-384 as ES256":       {s, token("ES256", ec384(), kid("ec384"), good), algorithm},

		"another's key":        {s, token("RS256", otherRSA(), kid("rsa"), good), noMatch},
		"no signature":         {s, parts[0] + "." + parts[1] + ".", malformed},
		"other claims":         {s, parts[0] + "." + b64([]byte(strings.Replace(string(must(json.Marshal(good))), "soar", "root", 1))) + "." + parts[2], noMatch},
		"unknown kid":          {s, token("RS256", rsaKey(), kid("rsa2"), good), unknown},
		"kid as a path":        {s, token("RS256", rsaKey(), kid("../../etc/passwd"), good), unknown},
		"kid as a query":       {s, token("HS256", "x", kid("x' UNION SELECT 'x"), good), algorithm},
		"kid too long":         {s, token("RS256", rsaKey(), kid(strings.Repeat("k", 600)), good), malformed},
		"kid no text":          {s, token("RS256", rsaKey(), map[string]any{"kid": 1}, good), malformed},
		"kid for encryption":   {s, token("RS256", rsaKey(), kid("enc"), good), unknown},
		"kid of a weak key":    {s, token("RS256", weakRSA(), kid("weak"), good), unknown},
		"a key in the token":   {s, token("EdDSA", edKey(), ownKey, good), unknown},
		"its own key, no kid":  {s, token("RS256", makeRSA(2048), map[string]any{"jwk": jwk("", rsaKey().Public())}, good), noMatch},
		"a secret as its key":  {s, rawToken(`{"alg":"RS256","kid":"rsa","jwk":{"kty":"oct","k":"AAAA"}}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"jku":                  {s, token("EdDSA", edKey(), map[string]any{"kid": "mine", "jku": "https://attacker.example.com/keys", "x5u": "https://attacker.example.com/cert"}, good), unknown},
		"crit":                 {s, token("RS256", rsaKey(), with(kid("rsa"), "crit", []string{"exp"}, "exp", 1), good), malformed},
		"crit null":            {s, rawToken(`{"alg":"RS256","kid":"rsa","crit":null}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"b64":                  {s, token("RS256", rsaKey(), with(kid("rsa"), "b64", false), good), malformed},
		"header no object":     {s, rawToken(`["RS256"]`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"header null":          {s, rawToken(`null`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"header twice an x":    {s, rawToken(`{"alg":"RS256","kid":"rsa","x":1,"x":1}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"more than a header":   {s, rawToken(`{"alg":"RS256","kid":"rsa"}{}`, string(must(json.Marshal(good))), "RS256", rsaKey()), malformed},
		"encrypted":            {s, right + ".x.y", malformed},
		"four parts":           {s, right + ".x", malformed},
		"two parts":            {s, parts[0] + "." + parts[1], malformed},
		"one word":             {s, "hello", malformed},
		"padded":               {s, right + "=", malformed},
		"stray bits":           {s, strayBits(right), malformed},
		"in quotes":            {s, `"` + right + `"`, malformed},
		"a space in it":        {s, parts[0] + " ." + parts[1] + "." + parts[2], malformed},
		"a line break":         {s, parts[0] + "." + parts[1] + ".\n" + parts[2], malformed},
		"JSON serialisation":   {s, `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, malformed},
		"too long":             {s, token("RS256", rsaKey(), kid("rsa"), with(good, "pad", strings.Repeat("x", 17<<10))), malformed},
		"claims twice":         {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, `{"iss":"x",`+string(must(json.Marshal(good)))[1:], "RS256", rsaKey()), malformed},
		"claims twice, inside": {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, `{"a":{"b":1,"b":2},`+string(must(json.Marshal(good)))[1:], "RS256", rsaKey()), malformed},
		"claims no object":     {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, `[]`, "RS256", rsaKey()), malformed},
		"claims null":          {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, `null`, "RS256", rsaKey()), malformed},
		"claims empty":         {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, ``, "RS256", rsaKey()), malformed},
		"claims no UTF-8":      {s, rawToken(`{"alg":"RS256","kid":"rsa"}`, "{\"a\":\"\xff\","+string(must(json.Marshal(good)))[1:], "RS256", rsaKey()), malformed},
	} {
		p, err := c.s.Verify(t.Context(), withBearer(c.token), noon)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", name, got, c.want, err)
		}
		if err == nil && (string(p.Payload) != "{}" || p.Who != "soar" || p.ID != "" || !p.At.IsZero()) {
			t.Errorf("%s: it vouches for %+v", name, p)
		}
	}
	if c := s.Covers(); c != (verify.Coverage{}) {
		t.Errorf("it covers %+v", c)
	}
}

// strayBits sets bits in the last character that the decoder would drop: another spelling of the same signature.
func strayBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

func TestClaimsOfAccessTokens(t *testing.T) {
	v := publicJWT(keyFile(t, jwk("rsa", rsaKey().Public())))
	v.Token.Audience = []string{"resetd", "https://resetd.example.com"}
	v.Token.Subjects = []string{"soar", "soar2"}
	v.Token.Claims = map[string]string{"azp": "client-1", "roles": "reset", "ver": "2", "idp": "true"}
	v.Tolerance = time.Minute
	s := mustOpen(t, v, verify.Options{})
	good := with(goodClaims(), "azp", "client-1", "roles", []string{"read", "reset"}, "ver", 2, "idp", true)
	const ok, malformed, wrongType, claim = "accepted", verify.ReasonMalformedToken, verify.ReasonWrongType, verify.ReasonWrongClaim
	for name, c := range map[string]struct {
		claims map[string]any
		want   verify.Reason
	}{
		"good":                 {good, ok},
		"aud list":             {with(good, "aud", []string{"x", "https://resetd.example.com"}), ok},
		"roles one":            {with(good, "roles", "reset"), ok},
		"iss other":            {with(good, "iss", issuer+"/"), verify.ReasonWrongIssuer},
		"iss other case":       {with(good, "iss", strings.ToUpper(issuer)), verify.ReasonWrongIssuer},
		"iss missing":          {with(good, "iss", nil), verify.ReasonWrongIssuer},
		"iss list":             {with(good, "iss", []string{issuer}), malformed},
		"aud other":            {with(good, "aud", "other"), verify.ReasonWrongAudience},
		"aud missing":          {with(good, "aud", nil), verify.ReasonWrongAudience},
		"aud empty":            {with(good, "aud", []string{}), verify.ReasonWrongAudience},
		"aud part":             {with(good, "aud", "resetd other"), verify.ReasonWrongAudience},
		"aud no text":          {with(good, "aud", []any{"resetd", 1}), malformed},
		"aud null in list":     {with(good, "aud", []any{"resetd", json.RawMessage("null")}), malformed},
		"aud object":           {with(good, "aud", map[string]any{"resetd": 1}), malformed},
		"exp missing":          {with(good, "exp", nil), malformed},
		"exp null":             {with(good, "exp", json.RawMessage("null")), malformed},
		"exp text":             {with(good, "exp", "1900000000"), malformed},
		"exp exponent":         {with(good, "exp", json.RawMessage("1e12")), malformed},
		"exp negative":         {with(good, "exp", -1), malformed},
		"exp beyond time":      {with(good, "exp", json.RawMessage("253402300800")), malformed},
		"exp overflow":         {with(good, "exp", json.RawMessage("18446744073709551617")), malformed},
		"exp late":             {with(good, "exp", json.RawMessage("253402300799")), ok},
		"exp fraction":         {with(good, "exp", json.RawMessage("1795348740.5")), ok}, // 59.5 s ago
		"exp fraction, over":   {with(good, "exp", json.RawMessage("1795348739.9")), verify.ReasonExpired},
		"exp just tolerated":   {with(good, "exp", noon.Unix()-59), ok},
		"exp just not":         {with(good, "exp", noon.Unix()-60), verify.ReasonExpired},
		"nbf now":              {with(good, "nbf", noon.Unix()), ok},
		"nbf just tolerated":   {with(good, "nbf", noon.Unix()+60), ok},
		"nbf just not":         {with(good, "nbf", noon.Unix()+61), verify.ReasonNotYet},
		"nbf text":             {with(good, "nbf", "x"), malformed},
		"iat missing":          {with(good, "iat", nil), ok},
		"iat in the future":    {with(good, "iat", noon.Unix()+61), verify.ReasonNotYet},
		"sub second":           {with(good, "sub", "soar2"), ok},
		"sub other":            {with(good, "sub", "soar3"), claim},
		"sub missing":          {with(good, "sub", nil), claim},
		"sub number":           {with(good, "sub", 1), malformed},
		"azp other":            {with(good, "azp", "client-2"), claim},
		"azp missing":          {with(good, "azp", nil), claim},
		"azp list":             {with(good, "azp", []string{"client-1"}), ok},
		"roles without":        {with(good, "roles", []string{"read"}), claim},
		"roles object":         {with(good, "roles", map[string]any{"reset": true}), claim},
		"ver text":             {with(good, "ver", "2"), ok},
		"ver other":            {with(good, "ver", 20), claim},
		"ver spelt otherwise":  {with(good, "ver", json.RawMessage("2.0")), claim},
		"idp other":            {with(good, "idp", false), claim},
		"idp null":             {with(good, "idp", json.RawMessage("null")), claim},
		"ID token, nonce":      {with(good, "nonce", "x"), wrongType},
		"ID token, at_hash":    {with(good, "at_hash", "x"), wrongType},
		"ID token of Cognito":  {with(good, "token_use", "id"), wrongType},
		"refresh of Keycloak":  {with(good, "typ", "Refresh"), wrongType},
		"access of Keycloak":   {with(good, "typ", "Bearer"), ok},
		"event token, untyped": {with(good, "events", map[string]any{"urn:x": map[string]any{}}), wrongType},
		"bound to a key":       {with(good, "cnf", map[string]any{"jkt": "x"}), wrongType},
	} {
		_, err := s.Verify(t.Context(), withBearer(token("RS256", rsaKey(), kid("rsa"), c.claims)), noon)
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", name, got, c.want, err)
		}
	}
	for _, typ := range []string{"secevent+jwt", "application/secevent+jwt", "logout+jwt", "dpop+jwt", "rt+jwt", "JOSE", "application/a/jwt"} {
		_, err := s.Verify(t.Context(), withBearer(token("RS256", rsaKey(), with(kid("rsa"), "typ", typ), good)), noon)
		if reasonOf(err) != wrongType {
			t.Errorf("typ %s: %v", typ, err)
		}
	}
}

func TestTheTokenStandsInItsHeader(t *testing.T) {
	v := publicJWT(keyFile(t, jwk("rsa", rsaKey().Public())))
	usual := mustOpen(t, v, verify.Options{})
	v.Token.Header = "authorization"
	same := mustOpen(t, v, verify.Options{})
	v.Token.Header = "x-token"
	own := mustOpen(t, v, verify.Options{})
	tok := token("RS256", rsaKey(), kid("rsa"), goodClaims())
	for name, c := range map[string]struct {
		s       verify.Scheme
		headers []string
		want    verify.Reason
	}{
		"usual":           {usual, []string{"Authorization", "Bearer " + tok}, "accepted"},
		"named":           {same, []string{"Authorization", "Bearer " + tok}, "accepted"},
		"own":             {own, []string{"X-Token", tok}, "accepted"},
		"usual, bare":     {usual, []string{"Authorization", tok}, verify.ReasonMissingToken},
		"usual, twice":    {usual, []string{"Authorization", "Bearer " + tok, "Authorization", "Basic x"}, "doubled_header"},
		"usual, none":     {usual, nil, verify.ReasonMissingToken},
		"usual, in own":   {usual, []string{"X-Token", tok}, verify.ReasonMissingToken},
		"own, in usual":   {own, []string{"Authorization", "Bearer " + tok}, verify.ReasonMissingToken},
		"own, as bearer":  {own, []string{"X-Token", "Bearer " + tok}, verify.ReasonMalformedToken},
		"own, twice":      {own, []string{"X-Token", tok, "X-Token", tok}, "doubled_header"},
		"usual, joined":   {usual, []string{"Authorization", "Bearer " + tok + ", Bearer " + tok}, verify.ReasonMalformedToken},
		"usual, trailing": {usual, []string{"Authorization", "Bearer " + tok + " "}, verify.ReasonMalformedToken},
	} {
		d := delivery("{}", c.headers...)
		d.Token = tok // never looked for in the URL
		if _, err := c.s.Verify(t.Context(), d, noon); reasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokensOfSharedSecrets(t *testing.T) {
	second := strings.Repeat("second secret;", 5)
	v := sender.Verify{Scheme: "jwt", Keys: secrets(hmacKey, second), Token: sender.Token{Issuer: "jira"}}
	s := mustOpen(t, v, verify.Options{})
	good := map[string]any{"iss": "jira", "exp": noon.Unix() + 60}
	for name, c := range map[string]struct {
		token string
		want  verify.Reason
	}{
		"first":           {token("HS256", hmacKey, nil, good), "accepted"},
		"second":          {token("HS256", second, kid("whatever"), good), "accepted"},
		"unknown":         {token("HS256", hmacKey+"x", nil, good), "no_match"},
		"empty":           {token("HS256", "", nil, good), "no_match"},
		"HS512":           {token("HS512", hmacKey, nil, good), verify.ReasonWrongAlgorithm},
		"RS256":           {token("RS256", rsaKey(), nil, good), verify.ReasonWrongAlgorithm},
		"none":            {rawToken(`{"alg":"none"}`, `{"iss":"jira","exp":1795348860}`, "", nil), verify.ReasonWrongAlgorithm},
		"its own secret":  {rawToken(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, `{"iss":"jira","exp":1795348860}`, "HS256", "\x00\x00\x00"), verify.ReasonMalformedToken},
		"issuer":          {token("HS256", hmacKey, nil, with(good, "iss", "x")), verify.ReasonWrongIssuer},
		"cut signature":   {cutBy3(token("HS256", hmacKey, nil, good)), "no_match"},
		"expired":         {token("HS256", hmacKey, nil, with(good, "exp", noon.Unix()-301)), verify.ReasonExpired},
		"within 5 min":    {token("HS256", hmacKey, nil, with(good, "exp", noon.Unix()-299)), "accepted"},
		"for anybody":     {token("HS256", hmacKey, nil, with(good, "aud", "x")), "accepted"},
		"key in base64":   {token("HS256", b64([]byte(hmacKey)), nil, good), "no_match"},
		"of an RSA modul": {token("HS256", string(rsaKey().N.Bytes()), nil, good), "no_match"},
	} {
		if _, err := s.Verify(t.Context(), withBearer(c.token), noon); reasonOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// cutBy3 takes away the last two bytes of an HS256 signature, so that what remains is base64url still.
func cutBy3(token string) string { return token[:len(token)-3] }
