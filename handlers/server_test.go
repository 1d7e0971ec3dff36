package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

func TestServerHasABoundForEverything(t *testing.T) {
	s := handlers.NewServer("127.0.0.1:0", newFixture(t).face)
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 15*time.Second || s.WriteTimeout != 30*time.Second ||
		s.IdleTimeout != 2*time.Minute || s.MaxHeaderBytes != 64<<10 || s.ErrorLog == nil {
		t.Fatalf("%+v", s)
	}
}

func TestClientThatNeverEndsItsHeaderIsCutOff(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t, func(s *http.Server) { s.ReadHeaderTimeout = 300 * time.Millisecond })
	c, answers := dial(t, l)
	_, _ = io.WriteString(c, "POST /v1/hooks/soar HTTP/1.1\r\nHost: resetd\r\n")
	go func() {
		for range 200 { // a header line now and then does not buy more time
			if _, err := io.WriteString(c, "X-A: b\r\n"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	began := time.Now()
	_, err := answers.ReadByte()
	if err == nil || time.Since(began) > 10*time.Second {
		t.Fatalf("after %s: %v", time.Since(began), err)
	}
}

func TestClientThatNeverEndsItsBodyIsToldAndCutOff(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t, func(s *http.Server) { s.ReadTimeout = 400 * time.Millisecond })
	c, answers := dial(t, l)
	_, _ = io.WriteString(c, "POST /v1/hooks/soar HTTP/1.1\r\nHost: resetd\r\nContent-Length: 100\r\n\r\n{")
	a := readAnswer(t, answers)
	a.want(t, 408, "too_slow")
	if !a.Close || len(f.tasks.submissions()) != 0 {
		t.Fatal("the connection is kept, or something was submitted")
	}
	if _, err := answers.ReadByte(); err == nil {
		t.Fatal("the connection is still open")
	}
}

func TestBodyThatEndsTooEarlySubmitsNothing(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t)
	c, answers := dial(t, l)
	_, _ = io.WriteString(c, "POST /v1/hooks/soar HTTP/1.1\r\nHost: resetd\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"typ\r\nnonsense\r\n")
	readAnswer(t, answers).want(t, 400, "body_incomplete")
	if n := len(f.tasks.submissions()); n != 0 {
		t.Fatalf("%d submissions", n)
	}
}

// 10,000 signatures are more than the server reads of a header at all.
func TestHeaderBeyondTheLimitIsRefusedByTheServer(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t)
	c, answers := dial(t, l)
	go func() {
		_, _ = fmt.Fprintf(c, "POST /v1/hooks/soar HTTP/1.1\r\nHost: resetd\r\nwebhook-signature: %s\r\n\r\n",
			strings.Repeat("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ", 10_000))
	}()
	if a := readAnswer(t, answers); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if read := l.read.Load(); read > 2*handlers.MaxHeaderBytes {
		t.Fatalf("%d bytes were read", read)
	}
}

func TestConnectionServesManyDeliveries(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t)
	c, answers := dial(t, l)
	for i := range 3 {
		r := signed(t, "/v1/hooks/soar", fmt.Sprintf("msg_%d", i), native(good))
		if err := r.Write(c); err != nil {
			t.Fatal(err)
		}
		var got accepted
		readAnswer(t, answers).decode(t, 202, &got)
	}
	if n := len(f.tasks.submissions()); n != 3 {
		t.Fatalf("%d submissions", n)
	}
}

func TestStrangeRequestTargetsAreAnswered(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t)
	for _, line := range []string{"GET * HTTP/1.1", "CONNECT resetd:443 HTTP/1.1", "GET http://other/v1/tasks HTTP/1.1", "BREW /healthz HTTP/1.1",
		"GET /v1/tasks/%2e%2e%2fevents HTTP/1.1", "GET /%00 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET /v1/tasks?q=%zz HTTP/1.1"} {
		c, answers := dial(t, l)
		_, _ = io.WriteString(c, line+"\r\nHost: resetd\r\n\r\n")
		if a := readAnswer(t, answers); a.StatusCode >= 500 || a.StatusCode >= 300 && a.StatusCode < 400 {
			t.Errorf("%s: %d %s", line, a.StatusCode, a.body)
		}
	}
	if strings.Contains(f.log.String(), "panic") {
		t.Error(f.log)
	}
}

func (f *fixture) poll(t *testing.T, url string) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		defer close(out)
		r, _ := http.NewRequestWithContext(context.Background(), "GET", url, nil)
		r.Header.Set("Authorization", "Bearer "+viewerToken)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Error(err)
		}
		out <- answer{res, string(b)}
	}()
	return out
}

// The server's own time-outs would end the connection in the middle of the wait.
func TestWaitingIsNotCutShortByTheTimeouts(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t, func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond })
	polled := f.poll(t, "http://"+l.Addr().String()+"/v1/tasks/known?wait=30s")
	time.Sleep(1500 * time.Millisecond)
	close(f.history.done)
	var got schemas.Task
	(<-polled).decode(t, 200, &got)
	if got.Status != schemas.StatusSuccessful {
		t.Fatalf("answered before the end: %s", got.Status)
	}
}

func TestShutdownAnswersThoseWhoWait(t *testing.T) {
	f := newFixture(t)
	var server *http.Server
	l := f.listen(t, func(s *http.Server) { server = s })
	polled := f.poll(t, "http://"+l.Addr().String()+"/v1/tasks/known?wait=60s")
	for l.read.Load() == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the shutdown waited for the end of the poll")
	}
	var got schemas.Task
	(<-polled).decode(t, 200, &got)
	if got.Status != schemas.StatusInProgress {
		t.Fatal(got.Status)
	}
}
