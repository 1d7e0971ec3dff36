package entra

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// tenant is one Entra tenant. Its methods may be called at the same time.
type tenant struct {
	config  Config
	env     connectors.Env
	rest    *rest.Client
	signIn  *signIn
	domains domains

	mu       sync.Mutex
	throttle throttle
}

// throttle is what Graph last said of our pace.
type throttle struct{ used, scope string }

// Close lets go of connections that lie idle.
func (t *tenant) Close() error { return t.rest.Close() }

// get reads something.
func (t *tenant) get(ctx context.Context, doing, path string, query url.Values, into any) *schemas.Failure {
	_, f := t.rest.Do(ctx, rest.Call{Method: http.MethodGet, Path: path, Query: query, Into: into, Doing: doing})
	return f
}

// change sends a write. Graph serves calls of high priority first when it must shed some
// (https://learn.microsoft.com/graph/throttling); a reset is one.
func (t *tenant) change(ctx context.Context, call rest.Call) (*rest.Answer, *schemas.Failure) {
	call.Header = http.Header{"X-Ms-Throttle-Priority": {"high"}}
	return t.rest.Do(ctx, call)
}

// renew drops a token that lacks a right: permissions are written into it when it is made, so that one which is granted
// now counts with the next only. A token that is young already has them, and the token server is spared.
func (t *tenant) renew() {
	const young = 15 * time.Second
	if t.signIn.age() > young {
		t.rest.Tokens.Forget()
	}
}

// watch passes on what an answer says of the pace. Graph sends the share of the allowance from 0.8 on, and above 1 when it
// is exceeded.
func (t *tenant) watch(a *rest.Answer) {
	text := a.Header.Get("x-ms-throttle-limit-percentage")
	used, err := strconv.ParseFloat(text, 64)
	if err != nil || !(used > 0 && used < 1000) {
		return
	}
	t.mu.Lock()
	t.throttle = throttle{used: strconv.FormatFloat(100*used, 'f', 0, 64) + " %", scope: a.Header.Get("x-ms-throttle-scope")}
	t.mu.Unlock()
	t.env.Tell(connectors.Hint{Used: used})
}

// pace gives what a person may know of the limits.
func (t *tenant) pace() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := "documented: 3,000 writes per 150 s and application"
	if t.throttle.used != "" {
		text += "; Graph said last that " + t.throttle.used + " of the allowance is used"
	}
	if plain.MatchString(t.throttle.scope) {
		text += " (" + t.throttle.scope + ")"
	}
	return text
}

// segment makes a name fit for a path: everything but letters, digits, "-", "_", "." and "~" is percent-encoded, also what a
// path allows but OData gives a meaning to ("'", "$", "(").
func segment(name string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	return string(out)
}
