package rest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// What stands between resetd and a system, such as a proxy with a page of its own, answers with any status. None of its
// answers says anything of an account.

const page = "<!doctype html><html><body>Please sign in to the network, key=abc</body></html>"

func TestPageThatAnswersAChangeWithSuccessProvesNothing(t *testing.T) {
	body := page
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }, nil)
	a, f := c.Do(t.Context(), write()) // whose answer is not read
	codeIs(t, "a page", f, schemas.CodeTimedOut)
	if a == nil || f != nil && strings.Contains(f.Detail, "abc") {
		t.Errorf("%+v, %v", a, f)
	}
	for _, body = range []string{"", " \r\n", "{}", `{"a":1}`} {
		_, f := c.Do(t.Context(), write())
		codeIs(t, "the answer "+body, f, schemas.CodeOK)
	}
}

func TestPageThatRefusesIsNotTheSystems(t *testing.T) {
	for _, status := range []int{403, 404, 405, 410, 451} {
		for _, body := range []string{page, "404 page not found\n"} {
			c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}, nil)
			for _, call := range []rest.Call{read(), write()} {
				_, f := c.Do(t.Context(), call)
				codeIs(t, call.Doing, f, schemas.CodeUnavailable)
				if f != nil && (strings.Contains(f.Detail, "abc") || !strings.Contains(f.Detail, "stands between")) {
					t.Errorf("%d: %s", status, f.Detail)
				}
			}
		}
	}
}

// A token server knows no accounts, and a call that never had a token was never sent.
func TestFailureOfATokenServerSaysNothingOfAnAccountOrAChange(t *testing.T) {
	for got, want := range map[schemas.Code]schemas.Code{
		schemas.CodeAccountNotFound: schemas.CodeUnavailable, schemas.CodeTimedOut: schemas.CodeUnavailable, schemas.CodeUnavailable: schemas.CodeUnavailable,
		schemas.CodeBadCredentials: schemas.CodeBadCredentials, schemas.CodePermissionMissing: schemas.CodePermissionMissing, schemas.CodeRateLimited: schemas.CodeRateLimited,
	} {
		called := false
		c, _ := serve(t, func(http.ResponseWriter, *http.Request) { called = true }, func(o *rest.Options) {
			o.Tokens = rest.NewTokens(0, func(context.Context) (rest.Token, error) {
				return rest.Token{}, schemas.Fail(got, "what the token server did")
			})
		})
		for _, call := range []rest.Call{read(), write()} {
			_, f := c.Do(t.Context(), call)
			codeIs(t, string(got), f, want)
			if called || f != nil && !strings.Contains(f.Detail, "what the token server did") {
				t.Errorf("%s: called %t, %v", got, called, f)
			}
		}
	}
}

// A system that is down says so in its own form, or when to come back; a proxy says the same of a request that it has handed
// on and whose answer it lost.
func TestChangeThatAProxyGaveUpIsInDoubt(t *testing.T) {
	for name, one := range map[string]struct {
		body, wait string
		want       schemas.Code
	}{
		"a proxy": {"upstream connect error or disconnect/reset before headers. reset reason: connection termination", "", schemas.CodeTimedOut}, "nothing said": {"", "", schemas.CodeTimedOut},
		"the system": {`{"errorCode":"E0000010"}`, "", schemas.CodeUnavailable}, "a time to come back": {page, "7", schemas.CodeUnavailable},
	} {
		c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if one.wait != "" {
				w.Header().Set("Retry-After", one.wait)
			}
			w.WriteHeader(503)
			_, _ = io.WriteString(w, one.body)
		}, nil)
		_, f := c.Do(t.Context(), write())
		codeIs(t, name, f, one.want)
		_, f = c.Do(t.Context(), read())
		codeIs(t, name+", reading", f, schemas.CodeUnavailable)
	}
}
