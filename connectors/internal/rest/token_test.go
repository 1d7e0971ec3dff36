package rest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// only takes calls that are signed in with one of the tokens.
func only(tokens ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, t := range tokens {
			if r.Header.Get("Authorization") == "Bearer "+t {
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestTokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	tokens, fetched := counting()
	c, _ := serve(t, only("t2"), func(o *rest.Options) { o.Tokens = tokens })
	if _, f := c.Do(t.Context(), write()); f != nil || fetched.Load() != 2 {
		t.Errorf("%v after %d tokens", f, fetched.Load())
	}
	tokens, fetched = counting()
	c, _ = serve(t, only("t3"), func(o *rest.Options) { o.Tokens = tokens })
	_, f := c.Do(t.Context(), write())
	codeIs(t, "the second token is refused too", f, schemas.CodeBadCredentials)
	if fetched.Load() != 2 {
		t.Errorf("%d tokens for one call", fetched.Load())
	}
}

func TestKeyThatCannotBeRenewedIsSentOnce(t *testing.T) {
	var calls atomic.Int64
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	}, func(o *rest.Options) { o.Tokens = rest.Fixed(schemas.NewSecret("key")) })
	for want := range int64(3) {
		_, f := c.Do(t.Context(), write())
		codeIs(t, "a refused key", f, schemas.CodeBadCredentials)
		if calls.Load() != want+1 {
			t.Errorf("%d requests for %d calls", calls.Load(), want+1)
		}
	}
}

// Of many callers whose token ends at the same moment none may take another's new token for its old one.
func TestManyCallersShareOneRenewal(t *testing.T) {
	tokens, fetched := counting()
	var gate sync.WaitGroup
	gate.Add(20)
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t1" {
			gate.Done()
			gate.Wait() // all of them have sent the old token before any hears of its end
			w.WriteHeader(http.StatusUnauthorized)
		}
	}, func(o *rest.Options) { o.Tokens = tokens })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, f := c.Do(t.Context(), read()); f != nil {
				t.Error(f)
			}
		})
	}
	all.Wait()
	if fetched.Load() != 2 {
		t.Errorf("%d tokens were fetched, want 2", fetched.Load())
	}
}

func TestManyCallersShareOneFetchAndOneThatGivesUpTakesItFromNobody(t *testing.T) {
	var fetched atomic.Int64
	begun, goOn := make(chan struct{}), make(chan struct{})
	tokens := rest.NewTokens(0, func(ctx context.Context) (rest.Token, error) {
		fetched.Add(1)
		close(begun)
		<-goOn
		return rest.Token{Text: "t"}, ctx.Err()
	})
	c, _ := serve(t, only("t"), func(o *rest.Options) { o.Tokens = tokens })
	first, cancel := context.WithCancel(t.Context())
	gone := make(chan *schemas.Failure, 1)
	go func() { _, f := c.Do(first, read()); gone <- f }()
	<-begun
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, f := c.Do(t.Context(), read()); f != nil {
				t.Error(f)
			}
		})
	}
	cancel()
	codeIs(t, "the one that gave up", <-gone, schemas.CodeUnavailable)
	close(goOn)
	all.Wait()
	if fetched.Load() != 1 {
		t.Errorf("%d fetches", fetched.Load())
	}
}

func TestTokenIsReplacedBeforeItEnds(t *testing.T) {
	for left, want := range map[time.Duration]int64{time.Hour: 1, 20 * time.Second: 2, 0: 1} {
		var fetched atomic.Int64
		c, _ := serve(t, only("t"), func(o *rest.Options) {
			o.Tokens = rest.NewTokens(0, func(context.Context) (rest.Token, error) {
				fetched.Add(1)
				token := rest.Token{Text: "t"}
				if left > 0 {
					token.Until = time.Now().Add(left)
				}
				return token, nil
			})
		})
		for range 2 {
			if _, f := c.Do(t.Context(), read()); f != nil {
				t.Fatal(f)
			}
		}
		if fetched.Load() != want {
			t.Errorf("a token that is good for %s: %d fetches, want %d", left, fetched.Load(), want)
		}
	}
}

func TestForgottenTokenIsFetchedAnew(t *testing.T) {
	tokens, fetched := counting()
	c, _ := serve(t, only("t1", "t2"), func(o *rest.Options) { o.Tokens = tokens })
	for range 2 {
		if _, f := c.Do(t.Context(), read()); f != nil {
			t.Fatal(f)
		}
		tokens.Forget()
	}
	if fetched.Load() != 2 {
		t.Errorf("%d fetches", fetched.Load())
	}
}

func TestFailureOfAFetchIsTheCalls(t *testing.T) {
	for name, one := range map[string]struct {
		token rest.Token
		err   error
		want  schemas.Code
	}{
		"a failure of its own": {rest.Token{}, schemas.Fail(schemas.CodeBadCredentials, "wrong"), schemas.CodeBadCredentials},
		"any other error":      {rest.Token{}, errors.New("with a client_secret=abc in it"), schemas.CodeUnavailable},
		"an empty token":       {rest.Token{}, nil, schemas.CodeUnavailable},
	} {
		called := false
		c, _ := serve(t, func(http.ResponseWriter, *http.Request) { called = true }, func(o *rest.Options) {
			o.Tokens = rest.NewTokens(0, func(context.Context) (rest.Token, error) { return one.token, one.err })
		})
		_, f := c.Do(t.Context(), write())
		codeIs(t, name, f, one.want)
		if called || f != nil && strings.Contains(f.Error(), "abc") {
			t.Errorf("%s: called %t, %v", name, called, f)
		}
	}
}

func TestFetchThatHangsHoldsNobodyUp(t *testing.T) {
	c, _ := serve(t, only(), func(o *rest.Options) {
		o.Tokens = rest.NewTokens(200*time.Millisecond, func(ctx context.Context) (rest.Token, error) {
			<-ctx.Done()
			return rest.Token{}, ctx.Err()
		})
	})
	_, f := c.Do(t.Context(), write()) // bound by the fetch's own limit
	codeIs(t, "a fetch that hangs", f, schemas.CodeUnavailable)
}
