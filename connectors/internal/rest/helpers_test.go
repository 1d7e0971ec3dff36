package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// serve starts a server and makes a client to it; change may be nil.
func serve(t *testing.T, handler http.HandlerFunc, change func(*rest.Options)) (*rest.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return client(t, server.URL, change), server
}

func client(t *testing.T, base string, change func(*rest.Options)) *rest.Client {
	t.Helper()
	o := rest.Options{Base: base, System: "corp", Product: "Imitation"}
	if change != nil {
		change(&o)
	}
	c, err := rest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// read and write are the two sorts of calls.
func read() rest.Call {
	return rest.Call{Method: http.MethodGet, Path: "/thing", Doing: "reading the thing"}
}

func write() rest.Call {
	return rest.Call{Method: http.MethodPatch, Path: "/thing", Doing: "changing the thing", Body: map[string]string{"a": "b"}}
}

// codeIs fails the test unless the failure has the code.
func codeIs(t *testing.T, what string, f *schemas.Failure, want schemas.Code) {
	t.Helper()
	switch {
	case f == nil && want != schemas.CodeOK:
		t.Errorf("%s: no failure, want %s", what, want)
	case f != nil && f.Code != want:
		t.Errorf("%s: %v, want %s", what, f, want)
	case f != nil && f.Detail == "":
		t.Errorf("%s: the failure says nothing", what)
	}
}

// counting gives tokens t1, t2, … and how many there were.
func counting() (*rest.Tokens, *atomic.Int64) {
	var n atomic.Int64
	return rest.NewTokens(0, func(context.Context) (rest.Token, error) {
		return rest.Token{Text: "t" + string(rune('0'+n.Add(1)))}, nil
	}), &n
}
