package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestARefusedDecisionSaysTheStateAndWhatIsPossible(t *testing.T) {
	const secret = "postgres://resetd:hunter2@db"
	for _, c := range []struct {
		err    error
		detail string
	}{
		{fmt.Errorf("ledger: %w", fmt.Errorf("%w: the task is successful; only what failed can be retried", schemas.ErrState)),
			"The task is successful; only what failed can be retried."},
		{fmt.Errorf("%s: %w: it is queued", secret, schemas.ErrState), "It is queued."},
		{fmt.Errorf("%w: one\n%s", schemas.ErrState, secret), "Look at its status first."},
		{fmt.Errorf("%w: %s%s", schemas.ErrState, secret, strings.Repeat("x", 300)), "Look at its status first."},
		{fmt.Errorf("%s: %w", secret, schemas.ErrState), "Look at its status first."},
		{schemas.ErrState, "Look at its status first."},
	} {
		f := newFixture(t)
		f.tasks.fail = c.err
		p := f.call("POST", "/v1/tasks/known/retry", operatorToken, "").want(t, 409, "wrong_state")
		if p.Detail != c.detail || strings.Contains(p.Error(), "hunter2") {
			t.Errorf("%v: got %q", c.err, p.Detail)
		}
	}
	f := newFixture(t)
	f.callbacks.fail = fmt.Errorf("ledger: callback cb_1: %w: it is still pending", schemas.ErrState)
	p := f.call("POST", "/v1/callbacks/known/redeliver", operatorToken, "").want(t, 409, "wrong_state")
	if !strings.HasPrefix(p.Detail, "It is still pending; only") {
		t.Errorf("got %q", p.Detail)
	}
}

func TestAMissingTokenAndAWrongOneAreToldApart(t *testing.T) {
	f := newFixture(t)
	for header, want := range map[string]string{"": "A token is needed", "Bearer nobody-knows-this-token-1": "This token is unknown", "Basic YTpi": "A token is needed", "Bearer ": "A token is needed"} {
		r := httptest.NewRequest(http.MethodGet, "/v1/tasks", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		p := f.do(r).want(t, 401, "unauthorized")
		if p.Title != want {
			t.Errorf("%q: got %q", header, p.Title)
		}
	}
}
