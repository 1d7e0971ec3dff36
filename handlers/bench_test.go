package handlers_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

// benchBody is a native body of 600 bytes.
var benchBody = func() string {
	head := native(`{"account":"jdoe@example.com","reference":"INC0012345","systems":["corp-ldap"],"mode":"randomize","revoke_sessions":true,` +
		`"callback":{"url":"https://soar.example.com/hooks/resetd","events":["final"]},"description":"DESC"}`)
	return strings.Replace(head, "DESC", strings.Repeat("Credential phish. ", 40)[:600-len(head)+4], 1)
}()

// instant accepts everything at once.
type instant struct{ *stubTasks }

func (instant) Submit(_ context.Context, s schemas.Submission) ([]schemas.Task, bool, error) {
	return []schemas.Task{{ID: "0193b1f2-7c1e-7d4a-9c55-0b6f6f4e2a10", Status: schemas.StatusQueued}}, false, nil
}

// sink is a response writer that costs next to nothing.
type sink struct {
	h      http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// bare is the floor: net/http, a limited read, one HMAC, one fixed answer.
func bare(secret []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, handlers.MaxBody))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "."))
		m.Write(body)
		want, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("webhook-signature"), "v1,"))
		if !hmac.Equal(want, m.Sum(nil)) {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "accepted"})
	})
}

func benchFace(b *testing.B) http.Handler {
	return newFixture(b, func(d *handlers.Deps) {
		d.Tasks, d.Logger = instant{}, zerolog.New(io.Discard)
	}).face
}

func bareFloor(b *testing.B) http.Handler {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(soarKey, "whsec_"))
	if err != nil {
		b.Fatal(err)
	}
	return bare(secret)
}

// BenchmarkHook and BenchmarkBare measure the handler alone; compare them within one run.
func BenchmarkHook(b *testing.B) { benchHandler(b, benchFace(b)) }

// BenchmarkBare is the floor of BenchmarkHook.
func BenchmarkBare(b *testing.B) { benchHandler(b, bareFloor(b)) }

func benchHandler(b *testing.B, h http.Handler) {
	r := signed(b, "/v1/hooks/soar", "msg_1", benchBody)
	body := bytes.NewReader([]byte(benchBody))
	b.ReportAllocs()
	for b.Loop() {
		body.Reset([]byte(benchBody))
		r.Body = io.NopCloser(body)
		w := &sink{h: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != http.StatusAccepted {
			b.Fatalf("status %d", w.status)
		}
	}
}

// BenchmarkHookLoopback and BenchmarkBareLoopback measure whole requests over 64 kept connections of 127.0.0.1. The client
// shares the processors, and does as little as it can: the ratio is about what a sender sees.
func BenchmarkHookLoopback(b *testing.B) { benchLoopback(b, benchFace(b)) }

// BenchmarkBareLoopback is the floor of BenchmarkHookLoopback.
func BenchmarkBareLoopback(b *testing.B) { benchLoopback(b, bareFloor(b)) }

func benchLoopback(b *testing.B, h http.Handler) {
	s := httptest.NewServer(h)
	defer s.Close()
	var request bytes.Buffer
	if err := signed(b, "/v1/hooks/soar", "msg_1", benchBody).Write(&request); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		answers := bufio.NewReader(c)
		for pb.Next() {
			if _, err := c.Write(request.Bytes()); err != nil {
				b.Error(err)
				return
			}
			if err := skipAccepted(answers); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// skipAccepted reads one answer, which must be a 202 with a Content-Length.
func skipAccepted(r *bufio.Reader) error {
	length := -1
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if n == 0 && !bytes.HasPrefix(line, []byte("HTTP/1.1 202 ")) {
			return fmt.Errorf("answer %q", line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	_, err := r.Discard(length)
	return err
}
