package okta_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestOneTokenServesManyCalls(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byApp(o, o.url))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _, _ = c.Resolve(t.Context(), short("nobody")) })
	}
	all.Wait()
	if o.app.made != 1 {
		t.Errorf("%d tokens were asked for", o.app.made)
	}
}

func TestProofOfPossessionIsGivenWhereItIsDemanded(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.app.dpop, o.app.apiWant = true, true
	p := o.add(person{})
	c := connect(t, byApp(o, o.url))
	id := schemas.Identity{ID: p.ID}
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if o.now(p.ID).Status != "PASSWORD_EXPIRED" || o.app.tries != 3 { // without a proof, without the nonce, with both
		t.Errorf("status %s after %d requests for a token", o.now(p.ID).Status, o.app.tries)
	}
	// Another nonce, and no token any more.
	o.mu.Lock()
	o.app.nonce, o.app.valid = "nonce-2", map[string]string{}
	o.mu.Unlock()
	if got, err := c.Revoke(t.Context(), id); err != nil || got.Code != schemas.CodeOK {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAProofThatIsNotTakenSaysHowToDoWithout(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.app.error = "invalid_dpop_proof"
	_, err := connect(t, byApp(o, o.url)).Resolve(t.Context(), short("nobody"))
	if schemas.CodeOf(err) != schemas.CodeBadCredentials || !strings.Contains(err.Error(), "Proof of Possession") || o.app.tries > 3 {
		t.Errorf("%v after %d requests", err, o.app.tries)
	}
}

func TestARefusedAppIsTold(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]schemas.Code{
		"invalid_client": schemas.CodeBadCredentials, "unauthorized_client": schemas.CodeBadCredentials, "access_denied": schemas.CodeBadCredentials,
		"invalid_scope": schemas.CodePermissionMissing, "consent_required": schemas.CodePermissionMissing, "something_new": schemas.CodeUnexpected,
	} {
		o := newImitation(t)
		o.app.error = reason
		if _, err := connect(t, byApp(o, o.url)).Resolve(t.Context(), short("nobody")); schemas.CodeOf(err) != want {
			t.Errorf("%s: %v; want %s", reason, err, want)
		}
	}
}

func TestAClockThatDiffersIsNamed(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	o.app.error = "invalid_client"
	late := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(-20*time.Minute).UTC().Format(http.TimeFormat))
			next.ServeHTTP(w, r)
		})
	}
	if _, err := connect(t, byApp(o, o.behind(t, late))).Resolve(t.Context(), short("nobody")); !strings.Contains(err.Error(), "clock") {
		t.Errorf("%v", err)
	}
	if _, err := connect(t, byApp(o, o.url)).Resolve(t.Context(), short("nobody")); strings.Contains(err.Error(), "clock") {
		t.Errorf("%v", err)
	}
}
