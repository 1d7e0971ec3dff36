package awsapi_test

import (
	"net"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

// Whoever reads that AWS is out of reach must see where it was looked for, and nothing that was sent.
func TestCallWithoutAnAnswerNamesHostAndPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	_ = l.Close()
	settings := fake(t, nil)
	plain := settings.Endpoint
	settings.Endpoint = "http://" + host
	f := change(t.Context(), session(t, settings), "The-New-Password-1")
	if f == nil || f.Code != schemas.CodeUnavailable || !strings.Contains(f.Detail, "no connection on "+host+" (") || strings.Contains(f.Detail, "Password-1") {
		t.Errorf("nobody listens: %v", f)
	}
	settings.Endpoint = strings.Replace(plain, "http://", "https://", 1)
	f = change(t.Context(), session(t, settings), "The-New-Password-1")
	if f == nil || f.Code != schemas.CodeUnavailable || !strings.Contains(f.Detail, "speaks plain http") || !strings.Contains(f.Detail, strings.TrimPrefix(plain, "http://")) {
		t.Errorf("https to a plain port: %v", f)
	}
}
