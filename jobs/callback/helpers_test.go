package callback

import (
	"bytes"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

const (
	source    = "soar"
	messageID = "cb_0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b"
)

// told is the task that the callbacks of these tests tell, and message what is said of it in the standard format.
var (
	told = schemas.Task{ID: "0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b", Source: source, IdempotencyKey: "msg_1", Status: schemas.StatusSuccessful, Code: schemas.CodeOK,
		Request: schemas.Request{Account: schemas.Account{Type: schemas.AccountAddress, Value: "jdoe@example.com"},
			Reference: "SEC-123", Description: "Credential phish, case 4711"},
		Enforcements: []schemas.Enforcement{
			{ID: "0192f5a0-7c1e-7d3a-9f10-1c2d3e4f5a6b.0", System: "corp-ad", Status: schemas.StatusSuccessful, Code: schemas.CodeOK,
				Sealed: "sealed-password", Steps: []schemas.Step{{Name: schemas.StepReset, Code: schemas.CodeOK}, {Name: schemas.StepRevoke, Code: schemas.CodeUnsupported}}},
		},
		Version: 5, CreatedAt: time.Date(2026, 11, 22, 6, 59, 58, 0, time.UTC), UpdatedAt: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)}
	message = encoded(told.Message())
)

func encoded(v any) []byte {
	out, err := schemas.Encode(v)
	if err != nil {
		panic(err) // only for a time that JSON cannot say
	}
	return out
}

// owed is a callback of the test's source.
func owed(url string) schemas.Callback {
	return schemas.Callback{ID: messageID, TaskID: told.ID, Source: source, URL: url, Status: told.Status, Version: told.Version}
}

// received is what a receiver got, whole.
type received struct {
	request *http.Request
	body    []byte
}

// endpoint is a real HTTPS server on loopback whose certificate the file ca vouches for.
type endpoint struct {
	*httptest.Server
	ca    string
	mu    sync.Mutex
	got   []received
	conns int
}

// newReceiver starts one; answer may be nil for 204.
func newReceiver(t *testing.T, answer http.HandlerFunc, adjust ...func(*httptest.Server)) *endpoint {
	t.Helper()
	r := &endpoint{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.got = append(r.got, received{req, body})
		r.mu.Unlock()
		req.Body = io.NopCloser(bytes.NewReader(body)) // for an answer that depends on it
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, req)
	}))
	r.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			r.mu.Lock()
			r.conns++
			r.mu.Unlock()
		}
	}
	r.Config.ErrorLog = quiet()
	for _, f := range adjust {
		f(r.Server)
	}
	r.StartTLS()
	t.Cleanup(r.Close)
	r.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	if err := os.WriteFile(r.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *endpoint) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

func (r *endpoint) connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conns
}

// rawServer is a TCP server on loopback that is no web server. It gives its host:port.
func rawServer(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				serve(c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().String()
}

// lab is the configuration of one source that may call what is given, on loopback.
func lab(ca string, allow ...string) Options {
	return Options{
		Sources:              map[string]Source{source: {Keys: []signature.Key{signature.GenerateSymmetric()}, Allow: allow}},
		AllowPrivateNetworks: true,
		CAFile:               ca,
		Version:              "1.2.3",
	}
}

func mustNew(t *testing.T, o Options) *Poster {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.secure.CloseIdleConnections(); p.plain.CloseIdleConnections() })
	return p
}

func post(t *testing.T, p *Poster, url string) (schemas.Attempt, time.Duration) {
	t.Helper()
	return p.Post(t.Context(), owed(url), told)
}

// wantClass fails unless the attempt failed in a class and says so to a person.
func wantClass(t *testing.T, a schemas.Attempt, class string) {
	t.Helper()
	if a.Error != class || a.Detail == "" {
		t.Fatalf("got class %q, detail %q, status %d; want class %q with a detail", a.Error, a.Detail, a.HTTPStatus, class)
	}
	t.Logf("%s: %s", a.Error, a.Detail)
}

func wantDelivered(t *testing.T, a schemas.Attempt) {
	t.Helper()
	if a.Error != "" || a.HTTPStatus < 200 || a.HTTPStatus > 299 {
		t.Fatalf("not delivered: %+v", a)
	}
}
