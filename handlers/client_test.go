package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resetd/resetd/handlers"
)

// Whoever can choose the address that he seems to come from passes allow_from, and is never held back.
func TestNobodyChoosesTheAddressThatHeComesFrom(t *testing.T) {
	const proxy, honest, stranger = "10.0.0.5:4711", "192.0.2.7", "203.0.113.9"
	for name, c := range map[string]struct {
		peer      string
		forwarded []string // X-Forwarded-For, line by line
		real      string   // X-Real-IP
		taken     bool
	}{
		"the proxy names the sender":                   {proxy, []string{honest}, "", true},
		"the proxy names the sender with a port":       {proxy, []string{honest + ":5000"}, "", true},
		"two proxies of ours":                          {proxy, []string{honest + ", 10.0.0.6"}, "", true},
		"the proxy adds to what the client wrote":      {proxy, []string{honest + ", " + stranger}, "", false},
		"the proxy adds a line of its own":             {proxy, []string{honest, stranger}, "", false},
		"a line of the proxy's, and the sender's own":  {proxy, []string{stranger, honest}, "", true},
		"the word of nobody":                           {"203.0.113.9:4711", []string{honest}, "", false},
		"another header":                               {proxy, nil, honest, false},
		"another header behind what cannot be read":    {proxy, []string{"unknown"}, honest, false},
		"what cannot be read before the proxy's word":  {proxy, []string{"x, " + honest}, "", true},
		"what cannot be read is nobody, not the proxy": {proxy, []string{honest + ", 10.0.0.0/8"}, "", false},
		"an IPv4 address in IPv6":                      {proxy, []string{"::ffff:192.0.2.7"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withSources(t, foreign("url")), func(d *handlers.Deps) { d.TrustedProxies = []string{"10.0.0.0/24"} })
			a := f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`, func(r *http.Request) {
				r.RemoteAddr = c.peer
				r.Header["X-Forwarded-For"] = c.forwarded
				if c.real != "" {
					r.Header.Set("X-Real-Ip", c.real)
				}
			})
			if (a.StatusCode == 202) != c.taken {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		})
	}
}

func TestProxiesThatCannotBeTrustedFailAtStart(t *testing.T) {
	for _, text := range []string{"0.0.0.0/0", "::/0", "10.0.0.5:80", "proxy", "10.0.0.5/24"} {
		d := newFixture(t).deps()
		d.Registerer, d.TrustedProxies = prometheus.NewRegistry(), []string{text}
		if _, err := handlers.New(d); err == nil || !strings.Contains(err.Error(), "TrustedProxies") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
