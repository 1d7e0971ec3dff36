package rest

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/resetd/resetd/schemas"
)

// early is how long before its end a token is replaced: a call with it must still arrive.
const early = 30 * time.Second

// Token is what a call is signed in with. A zero Until means that it does not end by itself.
type Token struct {
	Text  string
	Until time.Time
}

// Tokens keeps one token for all calls, and fetches another when it ends or is refused.
type Tokens struct {
	fetch func(context.Context) (Token, error)
	limit time.Duration
	one   singleflight.Group

	mu  sync.Mutex
	now Token
	bad string // the last token that was refused
}

// NewTokens makes a keeper. fetch asks for a new token; its errors should be *schemas.Failure, and any other counts as
// unavailable without its text. limit bounds one fetch; zero is 10 seconds.
func NewTokens(limit time.Duration, fetch func(context.Context) (Token, error)) *Tokens {
	if limit == 0 {
		limit = 10 * time.Second
	}
	return &Tokens{fetch: fetch, limit: limit}
}

// Fixed is a keeper of a token that cannot be renewed, such as an API key.
func Fixed(secret schemas.Secret) *Tokens {
	return NewTokens(0, func(context.Context) (Token, error) { return Token{Text: secret.Reveal()}, nil })
}

// get gives a token that is believed to be good. Many callers share one fetch, which none of them takes away from the
// others by giving up.
func (t *Tokens) get(ctx context.Context) (string, *schemas.Failure) {
	if text := t.kept(); text != "" {
		return text, nil
	}
	answer := t.one.DoChan("", func() (any, error) {
		if text := t.kept(); text != "" {
			return text, nil
		}
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.limit)
		defer cancel()
		got, err := t.fetch(free)
		if err != nil {
			return "", err
		}
		if got.Text == "" {
			return "", schemas.Fail(schemas.CodeUnavailable, "the token server gave an empty token; check its address and what stands between")
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now = got
		return got.Text, nil
	})
	select {
	case a := <-answer:
		if a.Err != nil {
			return "", failureOf(a.Err)
		}
		return a.Val.(string), nil
	case <-ctx.Done():
		return "", schemas.Fail(schemas.CodeUnavailable, "the token server gave no answer in time; nothing was sent to the system").Because(ctx.Err())
	}
}

func (t *Tokens) kept() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now.Text == "" || !t.now.Until.IsZero() && time.Now().After(t.now.Until.Add(-early)) {
		return ""
	}
	return t.now.Text
}

// Forget drops the token, so that the next call fetches another: where rights are written into tokens, a right that was
// granted meanwhile counts only then.
func (t *Tokens) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = Token{}
}

// drop forgets a token that the system has refused. It tells whether another is worth a try: not when a fetch has given
// the same again. Of many callers with the same token the first drops it, and the others share what comes after it.
func (t *Tokens) drop(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now.Text != text {
		return true
	}
	again := t.bad != text
	t.now, t.bad = Token{}, text
	return again
}

// failureOf is what the failure of a fetch means for the call that waited for the token. That call was never sent, so it did
// not time out; and that a token server is not found where it should be says nothing of an account.
func failureOf(err error) *schemas.Failure {
	f, ok := errors.AsType[*schemas.Failure](err)
	switch {
	case ok && (f.Code == schemas.CodeTimedOut || f.Code == schemas.CodeAccountNotFound):
		return schemas.Fail(schemas.CodeUnavailable, "%s; nothing was sent to the system; see whether the address of the token server is right and what stands between", f.Detail).Because(f)
	case ok:
		return f
	}
	return schemas.Fail(schemas.CodeUnavailable, "the token server gave no token; check its address and the network").Because(err)
}
