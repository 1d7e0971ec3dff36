package verify_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
)

// issuerServer is an issuer on loopback whose answers can be changed between deliveries.
type issuerServer struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	hits   []string // the paths that were asked for
}

func newIssuer(t testing.TB, keys ...map[string]any) *issuerServer {
	t.Helper()
	i := &issuerServer{}
	i.publish(keys...)
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

// ServeHTTP implements http.Handler.
func (i *issuerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.hits = append(i.hits, r.URL.Path)
	answer := i.answer
	i.mu.Unlock()
	answer(w, r)
}

func (i *issuerServer) does(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// publish answers every path with a key set.
func (i *issuerServer) publish(keys ...map[string]any) {
	i.does(says(http.StatusOK, string(jwks(keys...))))
}

func (i *issuerServer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.hits)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// clock is what tells a scheme how old its keys are.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }

func (b *buffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// fetching is a jwt scheme, the clock of its keys and its log.
type fetching struct {
	verify.Scheme
	clock *clock
	log   *buffer
}

func openFetching(t testing.TB, v sender.Verify) *fetching {
	t.Helper()
	f := &fetching{clock: &clock{at: noon}, log: &buffer{}}
	f.Scheme = mustOpen(t, v, verify.Options{Now: f.clock.now, Logger: zerolog.New(f.log)})
	return f
}

// asks delivers a token of a key and gives what came of it.
func (f *fetching) asks(t testing.TB, id string, alg string, key any) verify.Reason {
	t.Helper()
	_, err := f.Verify(t.Context(), withBearer(token(alg, key, map[string]any{"kid": id}, goodClaims())), noon)
	return reasonOf(err)
}

// ed delivers a token of the one EdDSA key under a kid.
func (f *fetching) ed(t testing.TB, id string) verify.Reason { return f.asks(t, id, "EdDSA", edKey()) }

func edJWK(id string) map[string]any { return jwk(id, edKey().Public()) }
