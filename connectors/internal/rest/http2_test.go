package rest_test

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// The vendors' clouds speak HTTP/2, where many calls share a connection: what is known of a lost one is the same.
func TestCallsOverHTTP2(t *testing.T) {
	version := make(chan int, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		case "/cut":
			panic(http.ErrAbortHandler)
		default:
			version <- r.ProtoMajor
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, server.URL, func(o *rest.Options) { o.TLSCA = ca })
	if _, f := c.Do(t.Context(), read()); f != nil {
		t.Fatal(f)
	}
	if got := <-version; got != 2 {
		t.Errorf("HTTP/%d is spoken", got)
	}
	for path, want := range map[string][2]schemas.Code{"/hang": {schemas.CodeTimedOut, schemas.CodeTimedOut}, "/cut": {schemas.CodeUnavailable, schemas.CodeTimedOut}} {
		for i, call := range []rest.Call{read(), write()} {
			call.Path = path
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if path == "/cut" {
				ctx = t.Context()
			}
			_, f := c.Do(ctx, call)
			cancel()
			codeIs(t, path+", "+call.Doing, f, want[i])
		}
	}
}
