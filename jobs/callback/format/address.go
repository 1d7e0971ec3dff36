package format

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// address is path and query below a base URL.
type address struct {
	path  text
	query text
}

// urlBytes are the bytes that a template may write into a path or query as they are.
const urlBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%"

// address reads the URL of a request. Only path and query are there to be written; values stand within one segment of
// the path, or in the query.
func (c *compiler) address(path, raw string, s *step) address {
	if raw == "" {
		return address{}
	}
	t := c.addressText(path, raw)
	for _, p := range t {
		if strings.Trim(p.literal, urlBytes) != "" {
			c.fault(path, "this holds a character that has no place in a URL; percent-encode it")
		}
	}
	if !strings.HasPrefix(raw, "/") || strings.HasPrefix(raw, "//") {
		c.fault(path, "this must begin with one slash: it is path and query below callback.url")
		return address{}
	}
	c.present(path, t, s)
	var a address
	into := &a.path
	for _, p := range t {
		before, after, found := strings.Cut(p.literal, "?")
		if p.name != "" || !found || into == &a.query {
			*into = append(*into, p)
			continue
		}
		if before != "" {
			a.path = append(a.path, part{literal: before})
		}
		into = &a.query
		if after != "" {
			a.query = append(a.query, part{literal: after})
		}
	}
	segments := strings.Split(a.path.put(func(string) string { return "x" }), "/")[1:]
	if bad := func(s string) bool { return s == "." || s == ".." }; slices.ContainsFunc(segments, bad) ||
		slices.Contains(segments[:len(segments)-1], "") {
		c.fault(path, "its path holds an empty segment, . or ..; write it out")
	}
	return a
}

// write gives path and query with their values. It refuses a value that would not stay within its segment.
func (a address) write(value func(name string) string) (string, error) {
	var bad error
	path := a.path.put(func(name string) string {
		v := value(name)
		if v == "" || strings.ContainsAny(v, `/\%;`) || strings.Trim(v, ".") == "" || line(v) != v {
			bad = errors.Join(bad, fmt.Errorf("the value of {%s} cannot be a part of a path", name))
		}
		return url.PathEscape(v)
	})
	out := path
	if len(a.query) > 0 {
		out += "?" + a.query.put(func(name string) string { return url.QueryEscape(value(name)) })
	}
	return out, bad
}
