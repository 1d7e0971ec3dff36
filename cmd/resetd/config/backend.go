package config

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/resetd/resetd/schemas"
)

// Backend is where the ledger or the queue lives.
type Backend struct {
	// Scheme is sqlite or embedded for what resetd brings along, or else the scheme of URL.
	Scheme string
	// URL may hold a password; it is empty for what resetd brings along.
	URL schemas.Secret
}

// backendForm is what a key of this type takes.
type backendForm struct {
	local   string
	schemes []string
	example string
}

var backendForms = map[string]backendForm{
	"ledger": {"sqlite", []string{"postgres", "postgresql"}, "postgres://resetd:${PG_PASSWORD}@db.example.com/resetd"},
	"queue": {"embedded", []string{"redis", "rediss", "redis+sentinel", "redis+cluster"},
		"rediss://resetd:${REDIS_PASSWORD}@redis.example.com:6379/0"},
}

// secretParams finds the passwords that PostgreSQL and Redis take as a parameter of the URL.
var secretParams = regexp.MustCompile(`(?i)[?&](?:[a-z_]*password|auth)=([^&#]*)`)

// Local tells whether it is the one that resetd brings along.
func (b Backend) Local() bool { return b.URL.Empty() }

// String gives the backend for logs: without user, password and parameters.
func (b Backend) String() string {
	if b.Local() {
		return b.Scheme
	}
	u := cutURL(b.URL.Reveal())
	return u.scheme + "://" + u.host + u.path
}

// urlParts is a URL cut at its delimiters (RFC 3986 §3). net/url is not used: it refuses the lists of hosts with ports
// that sentinels, clusters and PostgreSQL take, and its errors quote the password.
type urlParts struct{ scheme, user, host, path, query string }

func cutURL(text string) (u urlParts) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return u
	}
	u.scheme = scheme
	rest, u.query, _ = strings.Cut(rest, "?")
	authority, path, slash := strings.Cut(rest, "/")
	// A password with a raw slash or question mark moves the delimiters; then nothing here may be shown.
	if strings.Contains(path, "@") || strings.Contains(u.query, "@") {
		return urlParts{scheme: scheme}
	}
	if slash {
		u.path = "/" + path
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		u.user, authority = authority[:i], authority[i+1:]
	}
	u.host = authority
	return u
}

// backend reads the ledger or the queue.
func (d *decoder) backend(path string, n ast.Node, into *Backend) {
	form := backendForms[path]
	node, ok := n.(*ast.StringNode)
	if !ok {
		d.fault(path, "this must be %s or a URL such as %s", form.local, form.example)
		return
	}
	text := node.Value
	if text == form.local {
		into.Scheme = text
		return
	}
	whole, warning, err := ReadSecret(text, d.dir, d.env)
	switch {
	case err == nil:
		text = whole.Reveal()
		if warning != "" {
			d.warn(path, "%s", warning)
		}
	case !errors.Is(err, ErrLiteral):
		d.fault(path, "%s", err)
		return
	case literalPassword(text):
		d.fault(path, "the password must not stand in this file; put a variable in its place, as in %s, or the whole URL into ${%s_URL} or file:PATH",
			form.example, strings.ToUpper(path))
		return
	default:
		if text, ok = d.expandURL(path, text); !ok {
			return
		}
	}
	switch u := cutURL(text); {
	case text == form.local:
		into.Scheme = text
	case !slices.Contains(form.schemes, u.scheme):
		d.fault(path, "this is neither %s nor a URL with %s://; write one such as %s", form.local, strings.Join(form.schemes, ":// or "), form.example)
	case u.host == "":
		d.fault(path, "this URL names no host, or holds a / ? or @ that is not percent-encoded; write one such as %s", form.example)
	default:
		*into = Backend{u.scheme, schemas.NewSecret(text)}
	}
}

// expandURL puts variables into a URL. Those in the user part and the parameters are percent-encoded, so that a
// password may hold any character.
func (d *decoder) expandURL(path, text string) (string, bool) {
	at := strings.LastIndexByte(text, '@')
	query := strings.IndexByte(text, '?')
	out, missing := d.expand(text, func(offset int, value string) string {
		if offset < at || query >= 0 && offset > query {
			return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		return value
	})
	for _, name := range missing {
		d.fault(path, "the environment variable %s is not set; set it, or write file:PATH for the whole URL", name)
	}
	return out, len(missing) == 0
}

// literalPassword tells whether a URL holds a password, or a part of one, that is not a variable.
func literalPassword(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		_, password, _ := strings.Cut(rest[:i], ":")
		if variable.ReplaceAllString(password, "") != "" {
			return true
		}
	}
	for _, m := range secretParams.FindAllStringSubmatch(text, -1) {
		if variable.ReplaceAllString(m[1], "") != "" {
			return true
		}
	}
	return false
}
