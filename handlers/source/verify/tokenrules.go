package verify

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// The algorithms that may be allowed, and those that are if none are named. Public keys and shared secrets are never mixed:
// a public key is no secret, and whoever has it could make HMACs with it (RFC 8725 §2.1).
var (
	publicAlgorithms        = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	defaultPublicAlgorithms = []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}
	sharedAlgorithms        = []string{"HS256", "HS384", "HS512"}
	defaultSharedAlgorithms = []string{"HS256"}
)

// ownRules are the claims that verify.token.claims cannot pin, and what to do instead.
var ownRules = map[string]string{
	"iss": "write it as verify.token.issuer", "aud": "write it below verify.token.audience", "sub": "write it below verify.token.subjects",
	"exp": "remove it", "nbf": "remove it", "iat": "remove it", "jti": "remove it", "events": "remove it",
}

// keyring tells whether one of its keys made a token's signature. Its error is an *Error.
type keyring interface {
	check(ctx context.Context, t *jws) error
}

// tokenRules are what jwt and ssf-set have in common.
type tokenRules struct {
	keys       keyring
	algorithms []string
	issuer     string // empty: not looked at, which openTokenRules allows for shared secrets alone
	audience   []string
	subjects   []string
	claims     map[string]string
	tolerance  time.Duration
}

// openTokenRules reads the settings that both schemes have. Shared tells that verify.keys are secrets for HMAC.
func openTokenRules(v sender.Verify, o Options, shared bool, f *faults) tokenRules {
	t := v.Token
	r := tokenRules{issuer: t.Issuer, audience: t.Audience, subjects: t.Subjects, claims: t.Claims, tolerance: v.Tolerance}
	if r.tolerance <= 0 {
		r.tolerance = signature.DefaultTolerance
	}
	allowed, usual, of := publicAlgorithms, defaultPublicAlgorithms, "public keys"
	if shared {
		allowed, usual, of = sharedAlgorithms, defaultSharedAlgorithms, "secrets in verify.keys"
	}
	for i, a := range t.Algorithms {
		switch {
		case slices.Contains(allowed, a):
			r.algorithms = append(r.algorithms, a)
		case strings.EqualFold(a, "none"):
			f.add(at("token.algorithms", i), "a token without signature proves nothing; remove it")
		default:
			f.add(at("token.algorithms", i), "%q does not go with %s; write some of %s", a, of, strings.Join(allowed, ", "))
		}
	}
	if len(t.Algorithms) == 0 {
		r.algorithms = usual
	}
	if t.Issuer == "" && !shared {
		f.add("token.issuer", "this is missing; write what the tokens have as iss, such as https://login.example.com")
	}
	if len(t.Audience) == 0 && !shared {
		f.add("token.audience", "this is missing, and tokens that were made for others would be taken; write what the tokens for resetd have as aud")
	}
	if i := slices.Index(t.Audience, ""); i >= 0 {
		f.add(at("token.audience", i), "this is empty; write a value or remove it")
	}
	if i := slices.Index(t.Subjects, ""); i >= 0 {
		f.add(at("token.subjects", i), "this is empty; write a value or remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
		if instead, ok := ownRules[name]; ok {
			f.add("token.claims."+name, "this claim has a rule of its own; %s", instead)
		}
	}
	if shared {
		r.keys = openSharedKeys(v, r.algorithms, f)
	} else {
		r.keys = openPublicKeys(v, o, f)
	}
	return r
}

// addressed tells whether the token is of the right issuer and for us.
func (r *tokenRules) addressed(c claimSet) error {
	issuer, err := c.text("iss")
	if err != nil {
		return err
	}
	if r.issuer != "" && issuer != r.issuer {
		return refuse(ReasonWrongIssuer, "the token's iss is not verify.token.issuer; compare them letter by letter, with the slash at the end")
	}
	audience, err := c.list("aud")
	if err != nil {
		return err
	}
	if len(r.audience) > 0 && !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(r.audience, a) }) {
		return refuse(ReasonWrongAudience, "the token is for somebody else: none of its aud is in verify.token.audience; let the sender ask for one that is for resetd")
	}
	return nil
}

// timely looks at exp, nbf and iat as far as they are there. It gives iat.
func (r *tokenRules) timely(c claimSet, now time.Time) (issued time.Time, err error) {
	expires, err := c.time("exp")
	if err != nil {
		return issued, err
	}
	begins, err := c.time("nbf")
	if err != nil {
		return issued, err
	}
	if issued, err = c.time("iat"); err != nil {
		return issued, err
	}
	switch {
	case c.has("exp") && !now.Before(expires.Add(r.tolerance)):
		return issued, refuse(ReasonExpired, "the token has expired (exp); let the sender fetch a new one, and check NTP on both machines")
	case begins.After(now.Add(r.tolerance)):
		return issued, refuse(ReasonNotYet, "the token does not hold yet (nbf); check NTP on both machines")
	case issued.After(now.Add(r.tolerance)):
		return issued, refuse(ReasonNotYet, "the token was issued in the future (iat); check NTP on both machines")
	}
	return issued, nil
}

// pinned tells whether the subject and further claims are those that were configured.
func (r *tokenRules) pinned(c claimSet) error {
	if len(r.subjects) > 0 {
		sub, err := c.text("sub")
		if err != nil {
			return err
		}
		if !slices.Contains(r.subjects, sub) {
			return refuse(ReasonWrongClaim, "the token's sub is not in verify.token.subjects; add it if this sender may ask for resets")
		}
	}
	for name, want := range r.claims {
		if !c.says(name, want) {
			return refuse(ReasonWrongClaim, "a claim of the token has not the value that verify.token.claims demands; compare %s", strings.Join(slices.Sorted(maps.Keys(r.claims)), ", "))
		}
	}
	return nil
}
