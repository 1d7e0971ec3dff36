package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

func floorOf(t *testing.T, served, sent signature.Key) (*template, string) {
	t.Helper()
	server := httptest.NewServer(floor(newOrFatal(t, served).secret))
	t.Cleanup(server.Close)
	return newOrFatal(t, sent), strings.TrimPrefix(server.URL, "http://")
}

func newOrFatal(t *testing.T, key signature.Key) *template {
	t.Helper()
	tpl, err := newTemplate("127.0.0.1", "floor", key)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestALoadRunCountsEveryAcceptedMessageOnce(t *testing.T) {
	key := signature.GenerateSymmetric()
	tpl, addr := floorOf(t, key, key)
	got, err := tpl.send(t.Context(), addr, loadPlan{conns: 8, measured: 10 * time.Second, most: 500})
	if err != nil {
		t.Fatal(err)
	}
	if got.Accepted != 500 || got.Answered != 500 || len(got.Times) != 500 || got.Unavailable != 0 || got.rate() <= 0 || got.Times.at(0.5) <= 0 {
		t.Fatalf("%d accepted, %d in the window, %d times", got.Accepted, got.Answered, len(got.Times))
	}
}

func TestALoadRunEndsWithTheFirstRefusal(t *testing.T) {
	tpl, addr := floorOf(t, signature.GenerateSymmetric(), signature.GenerateSymmetric())
	if _, err := tpl.send(t.Context(), addr, loadPlan{conns: 2, measured: 10 * time.Second}); err == nil || !strings.Contains(err.Error(), "401") {
		t.Fatalf("a wrong signature gave %v", err)
	}
}
