package format

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// auth is a way to log in, complete. The value of its header stays inside a schemas.Secret.
type auth struct {
	scheme string
	header string
	value  schemas.Secret // of the header; of scheme url, the URL
}

// Authorize logs in: it sets the header of the scheme, if there is one.
func (f *Format) Authorize(h http.Header) {
	if f.auth.header != "" {
		h.Set(f.auth.header, f.auth.value.Reveal())
	}
}

// URL gives the URL that is itself the secret, and whether the format has one.
func (f *Format) URL() (schemas.Secret, bool) {
	return f.auth.value, f.auth.scheme == receiver.SchemeURL
}

// auth takes what the source says, and from the preset's ways what it leaves open.
func (c *compiler) auth(ways []receiver.Auth) {
	a := c.spec.Auth
	if a.Scheme == "" && len(ways) > 0 {
		a.Scheme = ways[0].Scheme
	}
	if a.Scheme == "" {
		a.Scheme = receiver.SchemeNone
	}
	at := slices.IndexFunc(ways, func(w receiver.Auth) bool { return w.Scheme == a.Scheme })
	switch {
	case len(ways) > 0 && at < 0:
		c.fault("auth.scheme", "the format %s takes no such log-in; use %s", c.f.name, schemes(ways))
		return
	case at >= 0:
		if a.Header == "" {
			a.Header, a.Prefix = ways[at].Header, ways[at].Prefix
		}
		if a.User == "" {
			a.User = ways[at].User
		}
	}
	c.unused(a)
	switch {
	case a.Scheme == receiver.SchemeNone:
	case a.Secret.Empty():
		c.fault("auth.secret", "this is missing: %s", purpose(a.Scheme))
		return
	case a.Scheme != receiver.SchemeURL && !httpguts.ValidHeaderFieldValue(a.Secret.Reveal()):
		c.fault("auth.secret", "this holds a character that no header can carry, a line break perhaps; write the secret alone")
		return
	}
	out := auth{scheme: a.Scheme, header: "Authorization"}
	switch a.Scheme {
	case receiver.SchemeNone:
		out.header = ""
	case receiver.SchemeURL:
		out.header, out.value = "", a.Secret
	case receiver.SchemeBearer:
		out.value = schemas.NewSecret("Bearer " + a.Secret.Reveal())
	case receiver.SchemeBasic:
		if a.User == "" || strings.Contains(a.User, ":") || line(a.User) != a.User {
			c.fault("auth.user", "basic needs a user, which holds no colon (RFC 7617)")
		}
		pair := base64.StdEncoding.EncodeToString([]byte(a.User + ":" + a.Secret.Reveal()))
		out.value = schemas.NewSecret("Basic " + pair)
	case receiver.SchemeHeader:
		out.header, out.value = a.Header, schemas.NewSecret(a.Prefix+a.Secret.Reveal())
		if !httpguts.ValidHeaderFieldName(a.Header) || slices.Contains(ours[1:], strings.ToLower(a.Header)) {
			c.fault("auth.header", "header needs the name of a header that resetd does not set itself, such as x-api-key")
		}
		if !httpguts.ValidHeaderFieldValue(a.Prefix) {
			c.fault("auth.prefix", "this holds a character that no header can carry")
		}
	default:
		c.fault("auth.scheme", "there is no such way to log in; use none, bearer, basic, header or url")
	}
	c.f.auth = out
}

// unused refuses what the scheme makes no use of: it would be a wish that nobody hears.
func (c *compiler) unused(a receiver.Auth) {
	given := c.spec.Auth
	if given.User != "" && a.Scheme != receiver.SchemeBasic {
		c.fault("auth.user", "only basic has a user; remove it, or write scheme: basic")
	}
	if (given.Header != "" || given.Prefix != "") && a.Scheme != receiver.SchemeHeader {
		c.fault("auth.header", "only the scheme header has a header and a prefix; remove them, or write scheme: header")
	}
	if !given.Secret.Empty() && a.Scheme == receiver.SchemeNone {
		c.fault("auth.scheme", "there is a secret and no way to use it; write scheme: bearer, basic, header or url")
	}
}

func purpose(scheme string) string {
	switch scheme {
	case receiver.SchemeURL:
		return "the whole URL that the receiver gave you, as ${NAME} or file:PATH"
	case receiver.SchemeBasic:
		return "the password or token that belongs to the user, as ${NAME} or file:PATH"
	}
	return "the receiver's token or key, as ${NAME} or file:PATH"
}

func schemes(ways []receiver.Auth) string {
	var out []string
	for _, w := range ways {
		out = append(out, w.Scheme)
	}
	return strings.Join(out, " or ")
}
