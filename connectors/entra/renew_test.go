package entra

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
)

// A token that lacks a right is dropped, but not one that has come just now: it would be the same again.
func TestTokenThatLacksARightIsRenewedUnlessItIsYoung(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for age, want := range map[time.Duration]int{time.Second: 1, time.Minute: 2} {
		fetched := 0
		client, err := rest.New(rest.Options{Base: server.URL, System: "corp-entra", Tokens: rest.NewTokens(0, func(context.Context) (rest.Token, error) {
			fetched++
			return rest.Token{Text: "t"}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		one := &tenant{rest: client, signIn: &signIn{at: time.Now().Add(-age)}}
		for range 2 {
			if f := one.get(t.Context(), "trying", "/", nil, nil); f != nil {
				t.Fatal(f)
			}
			one.renew()
		}
		if fetched != want {
			t.Errorf("a token of %s: %d fetches, want %d", age, fetched, want)
		}
		_ = one.Close()
	}
}
