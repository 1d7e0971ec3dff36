package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/resetd/resetd/schemas"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// Call is one request.
type Call struct {
	Method string
	// Path is put behind the base. Whatever comes from outside must have gone through url.PathEscape.
	Path  string
	Query url.Values
	// Header is sent beside the usual ones; nil for none.
	Header http.Header
	// Body is sent as JSON, or as a form if it is url.Values; nil for none.
	Body any
	// Into takes a JSON answer of a success; nil leaves it unread.
	Into any
	// Doing says to a person what the call is for: "reading the user".
	Doing string
	// Reads marks a call that changes nothing although its method is not GET.
	Reads bool
}

// changes tells whether the call may have changed something when its answer is lost.
func (c *Call) changes() bool {
	return c.Method != http.MethodGet && c.Method != http.MethodHead && !c.Reads
}

// Answer is what came back.
type Answer struct {
	Call   *Call
	Status int
	Header http.Header
	Body   []byte // 1 MiB at most
}

// Do makes one call. A 2xx answer is a success. On any other the Failure is that of Explain, or the usual one of the
// status; the answer is given beside it where there is one. A token that is refused (401) is replaced once.
//
// A change without an answer is timed_out, because it may have been made; one that was certainly not sent is unavailable.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, *schemas.Failure) {
	token, f := c.token(ctx)
	if f != nil {
		return nil, f
	}
	for refreshed := false; ; refreshed = true {
		a, f := c.once(ctx, &call, token)
		if f != nil {
			return nil, f
		}
		if c.Watch != nil {
			c.Watch(a)
		}
		if a.Status != http.StatusUnauthorized || c.Tokens == nil || !c.Tokens.drop(token) || refreshed {
			return a, c.judge(a)
		}
		next, f := c.token(ctx)
		if f != nil {
			return a, f
		}
		if next == token { // a key that cannot be renewed; the system has said what it thinks of it
			return a, c.judge(a)
		}
		token = next
	}
}

func (c *Client) token(ctx context.Context) (string, *schemas.Failure) {
	if c.Tokens == nil {
		return "", nil
	}
	return c.Tokens.get(ctx)
}

// once sends the call and reads the answer.
func (c *Client) once(ctx context.Context, call *Call, token string) (*Answer, *schemas.Failure) {
	var sent atomic.Bool // whether a connection was there to write on
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	r, err := c.request(ctx, call, token)
	if err != nil {
		return nil, schemas.Fail(schemas.CodeUnexpected, "%s: the request cannot be made; please report this", c.at(call))
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.lost(ctx, call, err, sent.Load())
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errors.New("the answer is longer than any that the system gives")
	}
	if err != nil {
		return nil, c.lost(ctx, call, err, true)
	}
	c.note(response)
	return &Answer{Call: call, Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// request makes the HTTP request.
func (c *Client) request(ctx context.Context, call *Call, token string) (*http.Request, error) {
	var body io.Reader
	kind := ""
	switch b := call.Body.(type) {
	case nil:
	case url.Values:
		body, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	address := c.Base + call.Path
	if len(call.Query) > 0 {
		address += "?" + call.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, call.Method, address, body)
	if err != nil {
		return nil, err
	}
	for name, values := range call.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "resetd")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		scheme := c.Scheme
		if scheme == "" {
			scheme = "Bearer"
		}
		r.Header.Set("Authorization", scheme+" "+token)
	}
	return r, nil
}

// lost explains a call that had no answer.
func (c *Client) lost(ctx context.Context, call *Call, err error, sent bool) *schemas.Failure {
	code, why := schemas.CodeUnavailable, network(err)
	if end := ended(ctx, err); end != nil {
		code, why = schemas.CodeTimedOut, "no answer in time"
		if errors.Is(end, context.Canceled) {
			why = "given up before there was an answer"
		}
	}
	switch {
	case sent && call.changes():
		return schemas.Fail(schemas.CodeTimedOut, "%s: %s; whether it was done is not known", c.atHost(call), why).Because(err)
	case !sent && call.changes():
		code = schemas.CodeUnavailable // however it ended, nothing was changed
		fallthrough
	case !sent:
		why += "; nothing was sent; check the address, the network and the system's certificate"
	}
	return schemas.Fail(code, "%s: %s", c.atHost(call), why).Because(err)
}

// network gives the short text of an error on the way, without the URL, which may name an account.
func network(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("no connection (%s)", e.Err)
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "the server speaks plain http, and the address says https"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed before the answer was whole"
	}
	return err.Error()
}

// at says what was being done, and where.
func (c *Client) at(call *Call) string {
	name := c.Product
	if name == "" {
		name = "the system"
	}
	return fmt.Sprintf("%s at %s (%s)", call.Doing, name, c.System)
}

// atHost is at with the host and port that were tried, for when nothing answers there. Nothing else of the address is told.
func (c *Client) atHost(call *Call) string {
	at := c.at(call)
	u, err := url.Parse(c.Base)
	if err != nil || u.Hostname() == "" {
		return at
	}
	return at + " on " + HostPort(u)
}

// HostPort gives what an address is dialled by, with the port that the scheme means where it names none.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[u.Scheme == "https"]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
