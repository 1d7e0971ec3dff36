package config

import (
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

var indexes = regexp.MustCompile(`\[[0-9]+\]`)

// fillDefaults sets what the file leaves out from the table of defaults, and then what follows from other keys.
func (d *decoder) fillDefaults(c *Config) {
	d.fill("", reflect.ValueOf(c).Elem())
	if c.DataDir != "" && !filepath.IsAbs(c.DataDir) {
		c.DataDir = filepath.Join(d.dir, c.DataDir)
	}
	if _, there := d.places["public_url"]; !there {
		c.PublicURL = c.scheme() + reachable(c.Listen)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	for i := range c.Systems {
		if c.Systems[i].Config.p == nil {
			path := fmt.Sprintf("systems[%d]", i)
			c.Systems[i].Config = Raw{&raw{source: d.source, path: path + ".config", at: d.placeOf(path), names: d.names}}
		}
	}
}

// fill walks a struct and sets every key that has a default and is not in the file.
func (d *decoder) fill(path string, v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		at, into := join(path, f.key), v.FieldByIndex(f.index)
		if text, ok := defaultOf(at); ok {
			if _, there := d.places[at]; !there {
				d.set(at, text, into)
			}
			continue
		}
		switch {
		case into.Kind() == reflect.Struct && len(fieldsOf(into.Type())) > 0:
			d.fill(at, into)
		case into.Kind() == reflect.Slice && into.Type().Elem().Kind() == reflect.Struct:
			for i := range into.Len() {
				d.fill(fmt.Sprintf("%s[%d]", at, i), into.Index(i))
			}
		}
	}
}

// set reads a default as if it stood in the file. The path stays unplaced, so that rules point at the place above.
func (d *decoder) set(path, text string, v reflect.Value) {
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		v = v.Index(0)
	}
	d.value(path, ast.String(token.New(text, text, &token.Position{})), v)
	delete(d.places, path)
}

func defaultOf(path string) (string, bool) {
	pattern := indexes.ReplaceAllString(path, "[]")
	for _, row := range defaults {
		if row.Key == pattern {
			return row.Value, true
		}
	}
	return "", false
}

// reachable gives a host and port at which a listener can be reached from the same machine: a listener on every address
// is reached by loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// LocalURL is where resetd can be reached from the machine that it runs on. With TLS that is the public URL, whose name the
// certificate bears.
func (c *Config) LocalURL() string {
	if c.TLS.On() {
		return c.PublicURL
	}
	return c.scheme() + reachable(c.Listen)
}

func (c *Config) scheme() string {
	if c.TLS.On() {
		return "https://"
	}
	return "http://"
}
