package keycloak

import (
	"context"
	"net/http"
	"regexp"
	"strconv"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// bounds are what the realm's policy is known to want. Reading the policy itself takes the role view-realm, so they are
// learned from what it rejects.
type bounds struct {
	min, max int
	why      string
}

// setPassword sets a random password that must be changed. It gives the password as it may be delivered.
func (r *realm) setPassword(ctx context.Context, id string) (sealed string, f *schemas.Failure) {
	var b bounds
	for try := 1; ; try++ {
		made := connectors.NewPassword(b.min, b.max)
		if sealed, f = r.env.Sealed(made); f != nil {
			return "", f
		}
		answer, f := r.api.Do(ctx, rest.Call{
			Method: http.MethodPut, Path: r.at(id) + "/reset-password", Doing: "setting the password",
			Body: map[string]any{"type": "password", "value": made.Reveal(), "temporary": true},
		})
		if f == nil {
			return sealed, nil
		}
		if f.Code != schemas.CodePasswordRejected || answer == nil {
			return "", f
		}
		b.learn(said(answer))
		if try == maxTries {
			return "", r.api.Failure(answer, schemas.CodePasswordRejected, "the realm's password policy rejects random passwords, "+strconv.Itoa(maxTries)+" in all, because of "+b.why+
				"; nothing was changed; see the policy: console, Authentication, Policies")
		}
	}
}

// policyNumber finds the bound in the words of a policy: "Invalid password: minimum length 40."
var policyNumber = regexp.MustCompile(`[0-9]{1,4}`)

// learn makes the next password fit what was rejected, as far as a length can. The keys are those of Keycloak's messages;
// of its words nothing but the number is taken.
func (b *bounds) learn(w words) {
	bound := number(w.Description)
	switch key := w.Error[len(rejects):]; key {
	case "MinLengthMessage":
		b.min, b.why = bound, "its least length"
	case "MaxLengthMessage":
		b.max, b.why = bound, "its greatest length (resetd goes down to 16)"
	case "MinDigitsMessage", "MinLowerCaseCharsMessage", "MinUpperCaseCharsMessage", "MinSpecialCharsMessage":
		// More of everything.
		b.min, b.why = max(64, 4*b.min), "how many characters of a class it wants"
	case "HistoryMessage":
		b.why = "its history"
	case "BlacklistedMessage":
		b.why = "its list of forbidden passwords"
	case "RegexPatternMessage":
		b.why = "its regular expression"
	default:
		b.why = "a rule of its own"
	}
}

// number gives the first number in a text, or zero.
func number(text string) int {
	n, _ := strconv.Atoi(policyNumber.FindString(text)) // four digits at most, or none
	return n
}
