package keycloak_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/deploy/testserver"
)

// proxy stands between the connector and Keycloak. It sees every password that is set, and makes the faults that a real
// server cannot be asked for.
type proxy struct {
	*httptest.Server
	// before may answer a request instead of Keycloak; it tells whether it did.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after may change an answer of Keycloak.
	after func(*http.Response) error

	mu        sync.Mutex
	passwords []string
	paths     []string // method and path of every request
}

// newProxy starts one for the test.
func newProxy(t *testing.T, s *testserver.KeycloakServer) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewUnstartedServer(p.handler(t, s))
	p.Start()
	t.Cleanup(func() {
		p.CloseClientConnections() // a call that hangs would hold Close up
		p.Close()
	})
	return p
}

func (p *proxy) handler(t *testing.T, s *testserver.KeycloakServer) http.Handler {
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			if p.after != nil {
				return p.after(r)
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.see(r)
		if p.before != nil && p.before(w, r) {
			return
		}
		behind.ServeHTTP(w, r)
	})
}

// see notes a request.
func (p *proxy) see(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paths = append(p.paths, r.Method+" "+r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/reset-password") {
		var sent struct{ Value string }
		_ = json.Unmarshal(body, &sent)
		p.passwords = append(p.passwords, sent.Value)
	}
}

// seen gives the passwords that went by.
func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.passwords)
}

// changes gives the requests of a method other than GET, those for tokens left out.
func (p *proxy) changes() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.paths {
		if !strings.HasPrefix(one, "GET ") && !strings.HasSuffix(one, "/token") {
			out = append(out, one)
		}
	}
	return out
}

// isChange tells whether a request changes an account.
func isChange(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/token")
}

// cut breaks the connection without an answer.
func cut() { panic(http.ErrAbortHandler) }
