package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/resetd/resetd/schemas"
)

const (
	// callTimeout bounds one call, beside the time that it was asked to wait.
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer in bytes: a page of 500 tasks stays far below it.
	maxAnswer = 64 << 20
)

// client speaks to the API of a running resetd.
type client struct {
	base  string
	token schemas.Secret
	http  *http.Client
}

// newClient makes a client; without a token it makes only calls that need none, such as those of senders.
func newClient(base string, token schemas.Secret) *client {
	return &client{strings.TrimRight(base, "/"), token, &http.Client{
		// A redirect would carry the token, or lose the body that was signed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back, whatever the status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one call. An error means that there was no whole answer.
func (c *client) send(ctx context.Context, method, path string, header http.Header, body []byte, wait time.Duration) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout+wait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if !c.token.Empty() {
		r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	r.Header.Set("User-Agent", "resetd/"+version())
	res, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return answer{res.StatusCode, res.Header, got}, err
}

// call makes a call of the API and reads its answer into a value; its error is for people.
func (c *client) call(ctx context.Context, method, path string, query url.Values, wait time.Duration, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.put(ctx, method, path, nil, wait, into)
}

// put makes a call of the API that carries a body in JSON; nil is none.
func (c *client) put(ctx context.Context, method, path string, body any, wait time.Duration, into any) error {
	var text []byte
	header := http.Header{}
	if body != nil {
		var err error
		if text, err = schemas.Encode(body); err != nil {
			return fmt.Errorf("the request cannot be written as JSON: %w", err)
		}
		header.Set("Content-Type", "application/json")
	}
	got, err := c.send(ctx, method, path, header, text, wait)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if got.status/100 != 2 {
		return c.refused(got)
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return c.alien(got)
	}
	return nil
}

// unreachable says that no answer came, and why.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exit{exitRefused, errors.New("interrupted")}
	}
	// The library's own wrapping repeats method and URL.
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	advice := "check the address and the network"
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		advice = "start it with: resetd serve -c resetd.yaml, or name another address with --url"
	case errors.Is(err, context.DeadlineExceeded):
		advice = "look at its log: it took the connection and does not answer"
	}
	return &exit{exitRefused, fmt.Errorf("%s cannot be reached: %w; %s", c.base, err, advice)}
}

// refused says what resetd answered, with every bad field that it names.
func (c *client) refused(got answer) error {
	var p schemas.Problem
	if err := json.Unmarshal(got.body, &p); err != nil || p.Title == "" {
		return c.alien(got)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s refused this (%d): %s", c.base, got.status, plain(p.Error()))
	for _, f := range p.Errors {
		where := f.Pointer
		if where == "" {
			where = f.Parameter
		}
		fmt.Fprintf(&b, "\n  %s: %s", plain(where), plain(f.Detail))
	}
	if got.status == http.StatusUnauthorized && !c.token.Empty() {
		b.WriteString("\nCheck that the token is one of api: tokens: in the configuration that resetd runs with.")
	}
	return &exit{exitRefused, errors.New(b.String())}
}

// alien says that something else than resetd answered, a proxy perhaps. Its body is not shown: it may be a page.
func (c *client) alien(got answer) error {
	to := ""
	if l := got.header.Get("Location"); l != "" {
		to = " with a redirect to " + plain(l)
	}
	return &exit{exitRefused, fmt.Errorf("%s answered %d%s and nothing that resetd would say; check the address, and what stands between", c.base, got.status, to)}
}
