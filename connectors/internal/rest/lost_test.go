package rest_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Whoever reads that there is no connection must see where it was tried, and nothing that could be a secret or an account.
func TestCallWithoutAConnectionNamesHostAndPortAlone(t *testing.T) {
	host := dead(t)
	c := client(t, "http://user:hunter2@"+host+"/base", nil)
	for _, call := range []rest.Call{read(), write()} {
		call.Path, call.Query = "/users/jdoe", url.Values{"token": {"abc"}}
		_, f := c.Do(t.Context(), call)
		codeIs(t, call.Doing, f, schemas.CodeUnavailable)
		if !strings.Contains(f.Detail, "Imitation (corp) on "+host+":") {
			t.Errorf("the detail does not say where: %s", f.Detail)
		}
		for _, no := range []string{"user", "hunter2", "jdoe", "abc", "/base"} {
			if strings.Contains(f.Detail, no) {
				t.Errorf("the detail tells %s: %s", no, f.Detail)
			}
		}
	}
}

func TestCallWithoutAConnectionNamesThePortThatTheSchemeMeans(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second)) // nothing is dialled
	defer cancel()
	for base, want := range map[string]string{"https://login.example.com/auth": " on login.example.com:443:", "http://127.0.0.1": " on 127.0.0.1:80:",
		"https://[2001:db8::1]:8443": " on [2001:db8::1]:8443:"} {
		_, f := client(t, base, nil).Do(ctx, read())
		if f == nil || !strings.Contains(f.Detail, want) {
			t.Errorf("%s: %v", base, f)
		}
	}
}

func TestHTTPSToAPlainPortSaysSo(t *testing.T) {
	_, server := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	c := client(t, strings.Replace(server.URL, "http://", "https://", 1), nil)
	for _, call := range []rest.Call{read(), write()} {
		_, f := c.Do(t.Context(), call)
		codeIs(t, call.Doing, f, schemas.CodeUnavailable)
		if !strings.Contains(f.Detail, "speaks plain http") || !errors.Is(f, http.ErrSchemeMismatch) {
			t.Error(f.Detail)
		}
	}
}
