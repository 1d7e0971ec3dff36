package okta_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// refusing answers every change with an error of Okta's.
func refusing(o *imitation, code string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				o.fail(w, code)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestEveryErrorOfOktaHasItsCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]schemas.Code{
		"E0000001": schemas.CodeConflict,
		"E0000004": schemas.CodeBadCredentials,
		"E0000005": schemas.CodeBadCredentials,
		"E0000006": schemas.CodePermissionMissing,
		"E0000007": schemas.CodeAccountNotFound,
		"E0000009": schemas.CodeTimedOut, // an internal error in the middle of a change
		"E0000010": schemas.CodeUnavailable,
		"E0000011": schemas.CodeBadCredentials,
		"E0000014": schemas.CodePasswordRejected,
		"E0000015": schemas.CodePermissionMissing,
		"E0000017": schemas.CodeConflict,
		"E0000023": schemas.CodeResetAtSource,
		"E0000034": schemas.CodeConflict,
		"E0000035": schemas.CodeConflict,
		"E0000038": schemas.CodeConflict,
		"E0000047": schemas.CodeRateLimited,
		"E0000080": schemas.CodePasswordRejected,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			o := newImitation(t)
			p := o.add(person{})
			_, err := connect(t, byToken(o, o.behind(t, refusing(o, code)))).Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeExpire)
			f, ok := errors.AsType[*schemas.Failure](err)
			if !ok || f.Code != want {
				t.Fatalf("%v; want %s", err, want)
			}
			if strings.Contains(f.Detail, "what Okta says") {
				t.Errorf("the detail quotes a summary, which may hold anything: %s", f.Detail)
			}
			if want == schemas.CodeRateLimited && (f.RetryAfter < 5*time.Second || f.RetryAfter > 8*time.Second) {
				t.Errorf("the wait is %s", f.RetryAfter)
			}
		})
	}
}

func TestAnErrorOfAReadingIsNoConflict(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]schemas.Code{"E0000001": schemas.CodeUnexpected, "E0000006": schemas.CodePermissionMissing, "E0000009": schemas.CodeUnavailable, "E0000031": schemas.CodeUnexpected} {
		o := newImitation(t)
		p := o.add(person{})
		all := func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { o.fail(w, code) })
		}
		if _, err := connect(t, byToken(o, o.behind(t, all))).Classify(t.Context(), schemas.Identity{ID: p.ID}); schemas.CodeOf(err) != want {
			t.Errorf("%s: %v; want %s", code, err, want)
		}
	}
}

func TestTheWaitIsReckonedByOktasClock(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	wrap := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)) // an hour ahead of ours
			w.Header().Set("X-Rate-Limit-Reset", "0")
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(http.StatusTooManyRequests)
		})
	}
	_, err := connect(t, byToken(o, o.behind(t, wrap))).Resolve(t.Context(), email("x@example.com"))
	if f, ok := errors.AsType[*schemas.Failure](err); !ok || f.Code != schemas.CodeRateLimited || f.RetryAfter != 9*time.Second {
		t.Errorf("%v", err)
	}
}

func TestThePaceIsPassedOn(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	var mu sync.Mutex
	var last connectors.Hint
	c, err := byToken(o, o.url).Open(connectors.Env{System: "acme-okta", Hint: func(h connectors.Hint) { mu.Lock(); defer mu.Unlock(); last = h }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	hint := func(left int) connectors.Hint {
		o.mu.Lock()
		o.left = left
		o.mu.Unlock()
		_, _ = c.Resolve(t.Context(), short("nobody"))
		mu.Lock()
		defer mu.Unlock()
		return last
	}
	if h := hint(150); h.Used != 0.75 || h.Pause != 0 {
		t.Errorf("a quarter left: %+v", h)
	}
	if h := hint(-1); h.Used != 1 || h.Pause < 15*time.Second || h.Pause > 21*time.Second {
		t.Errorf("nothing left: %+v", h)
	}
}
