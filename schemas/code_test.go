package schemas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The closed list of the design, §4, letter by letter.
const codesByDesign = `ok, already_in_force, account_not_found, account_ambiguous, protected, not_applicable,
reset_at_source, permission_missing, bad_credentials, password_rejected, unenforced, conflict, unsupported,
rate_limited, unavailable, timed_out, needs_review, approval_rejected, approval_expired, brake, unexpected`

func TestCodesAreTheDesignsClosedList(t *testing.T) {
	want := strings.Fields(strings.ReplaceAll(codesByDesign, ",", " "))
	var got []string
	for _, c := range Codes() {
		got = append(got, string(c))
		if !c.Valid() {
			t.Errorf("%s is listed and not valid", c)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, c := range []Code{"", "OK", "ok ", "unheard_of"} {
		if c.Valid() || c.OK() || c.Retryable() {
			t.Errorf("%q passes for a code", c)
		}
	}
}

func TestEveryCodeHasItsRetryRuleAndItsRank(t *testing.T) {
	retryable := []Code{CodeRateLimited, CodeUnavailable, CodeTimedOut}
	ranks := map[int]Code{}
	for _, c := range Codes() {
		r := c.rule()
		t.Logf("%-20s rank %2d  retried by itself: %v", c, r.rank, c.Retryable())
		if c.Retryable() != slices.Contains(retryable, c) {
			t.Errorf("%s: retried by itself is %v", c, c.Retryable())
		}
		if r.code != c || r.rank < 0 || r.rank >= 100 {
			t.Errorf("%s has no rule of its own", c)
		}
		if other, taken := ranks[r.rank]; taken && !(c.OK() && other.OK()) {
			t.Errorf("%s and %s have the same rank; which speaks for a task would be chance", c, other)
		}
		ranks[r.rank] = c
		if c.OK() != (c == CodeOK || c == CodeAlreadyInForce) || c.OK() && c.Retryable() {
			t.Errorf("%s: success is %v, retried is %v", c, c.OK(), c.Retryable())
		}
		if worse("", c) != c || worse(c, "") != c || worse(c, c) != c || worse(CodeOK, c) != c && !c.OK() {
			t.Errorf("%s is outranked by no code or by success", c)
		}
	}
}

func TestCodeOfFindsAFailureUnderWrapping(t *testing.T) {
	cause := errors.New("connection reset, password=hunter2")
	f := Fail(CodeUnavailable, "%s does not answer; look at it", "ldap.example.com").Because(cause)
	f.RetryAfter = time.Minute
	wrapped := fmt.Errorf("outer: %w", f)
	if CodeOf(nil) != CodeOK || CodeOf(cause) != CodeUnexpected || CodeOf(f) != CodeUnavailable || CodeOf(wrapped) != CodeUnavailable {
		t.Error("the code of an error is not that of its failure")
	}
	if !errors.Is(wrapped, cause) {
		t.Error("the cause cannot be found")
	}
	if text := f.Error(); text != "unavailable: ldap.example.com does not answer; look at it" {
		t.Errorf("a failure says %q", text)
	}
}
