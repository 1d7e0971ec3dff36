package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

func TestRequestIsMadeAsTheCallSays(t *testing.T) {
	var got *http.Request
	var body []byte
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = w.Write([]byte(`{"name":"x"}`))
	}, func(o *rest.Options) { o.Tokens, o.Scheme = rest.Fixed(schemas.NewSecret("key")), "SSWS" })
	var into struct{ Name string }
	_, f := c.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: "/a/" + url.PathEscape("b/c"), Query: url.Values{"$q": {"x y+z"}}, Header: http.Header{"x-lower": {"1"}},
		Body: map[string]int{"n": 1}, Into: &into, Doing: "trying"})
	if f != nil || into.Name != "x" {
		t.Fatalf("%v, %+v", f, into)
	}
	if got.URL.EscapedPath() != "/a/b%2Fc" || got.URL.Query().Get("$q") != "x y+z" || got.Header.Get("X-Lower") != "1" ||
		got.Header.Get("Authorization") != "SSWS key" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("User-Agent") != "resetd" || string(body) != `{"n":1}` {
		t.Errorf("%s %v %s", got.URL, got.Header, body)
	}
	if _, f := c.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: "/form", Body: url.Values{"a": {"b c"}}, Doing: "trying"}); f != nil || string(body) != "a=b+c" ||
		got.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("a form: %v, %s, %v", f, body, got.Header)
	}
}

func TestRequestThatCannotBeMadeIsOurFault(t *testing.T) {
	c := client(t, "https://example.com", nil)
	for what, call := range map[string]rest.Call{
		"a body that is no JSON": {Method: http.MethodPost, Path: "/x", Body: make(chan int), Doing: "trying"},
		"a path that is none":    {Method: http.MethodGet, Path: "/%zz", Doing: "trying"},
	} {
		_, f := c.Do(t.Context(), call)
		codeIs(t, what, f, schemas.CodeUnexpected)
	}
}

func TestEveryStatusHasItsUsualMeaning(t *testing.T) {
	for status, want := range map[int][2]schemas.Code{ // reading, changing
		200: {schemas.CodeOK, schemas.CodeOK}, 204: {schemas.CodeOK, schemas.CodeOK},
		301: {schemas.CodeUnexpected, schemas.CodeUnexpected}, 307: {schemas.CodeUnexpected, schemas.CodeUnexpected},
		400: {schemas.CodeUnexpected, schemas.CodeUnexpected}, 401: {schemas.CodeBadCredentials, schemas.CodeBadCredentials},
		403: {schemas.CodePermissionMissing, schemas.CodePermissionMissing}, 404: {schemas.CodeAccountNotFound, schemas.CodeAccountNotFound},
		418: {schemas.CodeUnexpected, schemas.CodeUnexpected}, 429: {schemas.CodeRateLimited, schemas.CodeRateLimited},
		500: {schemas.CodeUnavailable, schemas.CodeTimedOut}, 502: {schemas.CodeUnavailable, schemas.CodeTimedOut},
		503: {schemas.CodeUnavailable, schemas.CodeUnavailable}, 504: {schemas.CodeUnavailable, schemas.CodeTimedOut},
	} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				return
			}
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}, nil)
		for i, call := range []rest.Call{read(), write()} {
			a, f := c.Do(t.Context(), call)
			codeIs(t, call.Doing, f, want[i])
			if a == nil || a.Status != status {
				t.Errorf("%d: the answer is %+v", status, a)
			}
			if wait := (status == 429 || status == 503); f != nil && (f.RetryAfter == 7*time.Second) != wait {
				t.Errorf("%d: the wait is %s", status, f.RetryAfter)
			}
			if f != nil && !strings.Contains(f.Detail, call.Doing+" at Imitation (corp)") {
				t.Errorf("%d: the detail does not say what was done where: %s", status, f.Detail)
			}
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	followed := false
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed = true
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}, func(o *rest.Options) { o.Tokens = rest.Fixed(schemas.NewSecret("key")) })
	for _, call := range []rest.Call{read(), write()} {
		_, f := c.Do(t.Context(), call)
		codeIs(t, call.Doing, f, schemas.CodeUnexpected)
	}
	if followed {
		t.Error("the token was carried elsewhere")
	}
}

func TestAnswerOfMoreThanAMegabyteIsNotRead(t *testing.T) {
	size := 1 << 20
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), size)) }, nil)
	if a, f := c.Do(t.Context(), read()); f != nil || len(a.Body) != size {
		t.Errorf("a megabyte: %v", f)
	}
	size++
	_, f := c.Do(t.Context(), read())
	codeIs(t, "reading a byte more", f, schemas.CodeUnavailable)
	_, f = c.Do(t.Context(), write())
	codeIs(t, "changing, and a byte more", f, schemas.CodeTimedOut)
}

func TestAnswerThatIsGarbage(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>no JSON, key=abc</html>")) }, nil)
	var into map[string]any
	for _, one := range []struct {
		call rest.Call
		want schemas.Code
	}{{read(), schemas.CodeUnavailable}, {write(), schemas.CodeTimedOut}, {rest.Call{Method: http.MethodPost, Reads: true, Path: "/x", Doing: "searching"}, schemas.CodeUnavailable}} {
		one.call.Into = &into
		_, f := c.Do(t.Context(), one.call)
		codeIs(t, one.call.Doing, f, one.want)
		if f != nil && strings.Contains(f.Detail, "abc") {
			t.Errorf("the answer is quoted: %s", f.Detail)
		}
	}
}

func TestAnswerThatIsNoHTTPOrBreaksOff(t *testing.T) {
	for name, text := range map[string]string{"no HTTP": "SSH-2.0-OpenSSH_9.2\r\n", "nothing": "", "half a body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"} {
		c := client(t, listen(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}), nil)
		_, f := c.Do(t.Context(), read())
		codeIs(t, name+", reading", f, schemas.CodeUnavailable)
		_, f = c.Do(t.Context(), write())
		codeIs(t, name+", changing", f, schemas.CodeTimedOut)
	}
}

func TestCallWithoutAnAnswerInTime(t *testing.T) {
	hold := make(chan struct{})
	c, server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}, nil)
	defer server.Close()
	defer close(hold)
	for _, call := range []rest.Call{read(), write()} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, f := c.Do(ctx, call)
		cancel()
		codeIs(t, call.Doing, f, schemas.CodeTimedOut)
		if unknown := strings.Contains(f.Detail, "not known"); unknown != (call.Method != http.MethodGet) {
			t.Errorf("%s: %s", call.Doing, f.Detail)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, f = c.Do(ctx, call)
		codeIs(t, call.Doing+", given up", f, schemas.CodeTimedOut)
	}
}

func TestChangeThatWasCertainlyNotSentChangedNothing(t *testing.T) {
	c := client(t, "http://"+dead(t), nil)
	for _, call := range []rest.Call{read(), write()} {
		_, f := c.Do(t.Context(), call)
		codeIs(t, call.Doing, f, schemas.CodeUnavailable)
		if !strings.Contains(f.Detail, "nothing was sent") {
			t.Error(f.Detail)
		}
	}
	// A handshake that hangs: there is no connection yet on which something could have gone out.
	hanging := client(t, strings.Replace(listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }), "http://", "https://", 1), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, f := hanging.Do(ctx, write())
	codeIs(t, "changing, and the handshake hangs", f, schemas.CodeUnavailable)
}

func TestExplainComesFirstAndMayLeaveItToTheStatus(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		_, _ = w.Write([]byte(r.URL.RawQuery))
	}, func(o *rest.Options) {
		o.Explain = func(a *rest.Answer) *schemas.Failure {
			if string(a.Body) == "quota=1" {
				return schemas.Fail(schemas.CodeRateLimited, "quota")
			}
			return nil
		}
	})
	call := read()
	_, f := c.Do(t.Context(), call)
	codeIs(t, "usual", f, schemas.CodePermissionMissing)
	call.Query = url.Values{"quota": {"1"}}
	_, f = c.Do(t.Context(), call)
	codeIs(t, "explained", f, schemas.CodeRateLimited)
}

func TestWatchSeesEveryAnswer(t *testing.T) {
	var seen []int
	tokens, _ := counting()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t1" {
			w.WriteHeader(401)
		}
	}, func(o *rest.Options) {
		o.Tokens, o.Watch = tokens, func(a *rest.Answer) { seen = append(seen, a.Status) }
	})
	if _, f := c.Do(t.Context(), read()); f != nil {
		t.Fatal(f)
	}
	if text, _ := json.Marshal(seen); string(text) != "[401,200]" {
		t.Errorf("seen %s", text)
	}
}

// listen takes connections and hands them over; it gives an address with http://.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + l.Addr().String()
}

// dead is an address at which nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
