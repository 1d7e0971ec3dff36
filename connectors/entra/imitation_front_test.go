package entra_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/entra"
	"github.com/resetd/resetd/connectors/internal/vendorapi"
	"github.com/resetd/resetd/schemas"
)

// front is a server that shows a world, token server and Graph at one address, with faults of its own.
type front struct {
	world  *world
	server *httptest.Server
	ca     string // PEM file

	// wire sees every request before it is checked and may answer, or not, in place of the imitation; inside sees those of
	// Graph after the check, and what it answers is checked too.
	wire, inside func(f *front, w http.ResponseWriter, r *http.Request) (done bool)
	// after may keep the answer of a request that was carried out.
	after func(r *http.Request) (lost bool)

	refuseToken int // an AADSTS number in place of every token
	tokenLife   time.Duration
	federated   string
	certificate *x509.Certificate

	mu     sync.Mutex
	tokens map[string]*app
	issued []string
	log    []request
}

// request is one that Graph got.
type request struct {
	method, path, query, body, token string
	header                           http.Header
}

// newFront starts a server.
func newFront(t *testing.T, w *world, change func(*front)) *front {
	t.Helper()
	f := &front{world: w, tokens: map[string]*app{}}
	if change != nil {
		change(f)
	}
	checked := vendorapi.Check(t, description(t), "/", undescribed, http.HandlerFunc(f.graph))
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1.0/") {
			f.note(t, r)
		}
		switch {
		case f.wire != nil && f.wire(f, w, r):
		case !strings.HasPrefix(r.URL.Path, "/v1.0/"):
			f.authority(w, r)
		case f.after != nil:
			kept := httptest.NewRecorder()
			checked.ServeHTTP(kept, r)
			if f.after(r) {
				panic(http.ErrAbortHandler) // the connection is cut
			}
			for name, values := range kept.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body.Bytes())
		default:
			checked.ServeHTTP(w, r)
		}
	}))
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	f.ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	if err := os.WriteFile(f.ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// description is the vendor's, with what the slice left out and Graph documents elsewhere: $count, and the errors that any
// call may have.
func description(t *testing.T) *openapi3.T {
	doc := vendorapi.Load(t, "graph-users-slice.json")
	if doc == nil {
		return nil
	}
	users := doc.Paths.Find("/v1.0/users")
	users.Get.Parameters = append(users.Get.Parameters, &openapi3.ParameterRef{Value: openapi3.NewQueryParameter("$count").WithSchema(openapi3.NewBoolSchema())})
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, status := range []string{"400", "409", "500", "503", "504"} {
				op.Responses.Set(status, op.Responses.Value("403"))
			}
		}
	}
	return doc
}

// undescribed tells which paths are not in the slice.
func undescribed(r *http.Request) bool {
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0/"), "/")
	return parts[0] != "users" || len(parts) > 2 && parts[2] != "revokeSignInSessions"
}

// note keeps a request, and holds it against what must never be sent.
func (f *front) note(t *testing.T, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("accountEnabled")) {
		t.Errorf("%s %s touches accountEnabled", r.Method, r.URL.Path)
	}
	if r.Method != http.MethodGet && r.Header.Get("x-ms-throttle-priority") != "high" {
		t.Errorf("%s %s goes without high priority", r.Method, r.URL.Path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, request{r.Method, r.URL.Path, r.URL.Query().Encode(), string(body), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Clone()})
}

// graph signs the application in and lets the world answer.
func (f *front) graph(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	a := f.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	f.mu.Unlock()
	if a == nil {
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
		return
	}
	if f.inside != nil && f.inside(f, w, r) {
		return
	}
	f.world.graph(w, r, a)
}

// writes gives the requests that could have changed something.
func (f *front) writes() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.log), func(r request) bool { return r.method == http.MethodGet })
}

// config gives settings that lead to the server.
func (f *front) config() *entra.Config {
	c := entra.Kind().New().(*entra.Config)
	c.TenantID, c.ClientID, c.ClientSecret = tenantID, appFull, schemas.NewSecret(secretText)
	c.BaseURL, c.AuthorityURL, c.TLSCA = f.server.URL+"/v1.0", f.server.URL, f.ca
	return c
}

// open makes a connector; its caller closes it.
func open(t *testing.T, c *entra.Config) connectors.Connector {
	t.Helper()
	return openWith(t, c, connectors.Env{System: "corp-entra"})
}

func openWith(t *testing.T, c *entra.Config, env connectors.Env) connectors.Connector {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	out, err := c.Open(env)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// connect makes a connector that is closed with the test.
func connect(t *testing.T, f *front) connectors.Connector {
	t.Helper()
	c := open(t, f.config())
	t.Cleanup(func() { _ = c.Close() })
	return c
}
