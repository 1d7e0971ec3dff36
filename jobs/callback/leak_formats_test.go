package callback

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// Each way to log in meets every ending of an attempt: receivers that echo the log-in in headers and body, redirect it
// elsewhere, break off in the middle, talk nonsense. Nothing that is written or returned may hold the secret, and no other
// host may get it.
func TestNoLogInIsToldByAttemptsLogsErrorsAndMetrics(t *testing.T) {
	const hidden = "hunter2-correct-horse"
	elsewhere := newReceiver(t, nil)
	echo := func(status int) *endpoint {
		return newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
			said := fmt.Sprint(r.Header, r.URL)
			w.Header().Set("Location", elsewhere.URL+"/"+hidden)
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.Header().Set("Www-Authenticate", "Basic realm="+r.Header.Get("X-Api-Key"))
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, said)
		})
	}
	hang := newReceiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	stranger := newReceiver(t, nil) // its certificate is trusted by none of the posters
	garbage := "http://" + rawServer(t, func(c *net.TCPConn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			_, _ = fmt.Fprintf(c, "SSH-2.0 %v %v\r\n\r\n", r.Header, r.URL)
		}
	})
	halfway := "http://" + rawServer(t, func(c *net.TCPConn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n%v", r.Header)
		}
	})
	reset := "http://" + rawServer(t, func(c *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_ = c.SetLinger(0)
	})
	places := map[string]*endpoint{}
	for _, status := range []int{200, 302, 307, 400, 401, 403, 404, 410, 429, 500} {
		r := echo(status)
		places[r.URL] = r
	}
	for _, raw := range []string{garbage, halfway, reset, "https://nowhere.example.com", "https://169.254.169.254"} {
		places[raw] = nil
	}
	places[hang.URL], places[stranger.URL] = hang, nil

	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	classes := map[string]bool{}
	var said []string
	for scheme, auth := range map[string]receiver.Auth{
		"bearer": {Scheme: "bearer", Secret: schemas.NewSecret(hidden)},
		"basic":  {Scheme: "basic", User: "resetd", Secret: schemas.NewSecret(hidden)},
		"header": {Scheme: "header", Header: "X-Api-Key", Prefix: "Key ", Secret: schemas.NewSecret(hidden)},
		"url":    {Scheme: "url"},
	} {
		for place, r := range places {
			o := lab("")
			if r != nil {
				o = lab(r.ca)
			}
			o.Timeout, o.Logger = 300*time.Millisecond, zerolog.New(&log)
			o.Resolver, _ = nameserver(t, []string{})
			if scheme == "bearer" && place == garbage {
				o.Registerer = registry
			}
			a, url := auth, place
			if scheme == "url" {
				a.Secret, url = schemas.NewSecret(place+"/"+hidden+"?sig="+hidden), ""
			}
			o.Sources[source] = Source{URL: url, Format: note(func(s *receiver.Spec) {
				s.Auth = a
				s.Template.Requests = []receiver.Request{{Name: "note", Body: receiver.Tree{Value: "{details}"}, Said: "error",
					Expect: receiver.Tree{Value: map[string]any{"ok": true}}}}
				s.Template.Hints = map[string]string{"known": "do this"}
			})}
			p := mustNew(t, o)
			got, again := post(t, p, place)
			classes[got.Error] = true
			text, err := schemas.Encode(got)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := p.Plan(source, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, string(text), fmt.Sprintf("%+v %#v %v %+v", got, got, again, plan), fmt.Sprintf("%v %+v %#v", o.Sources, o.Sources, o.Sources),
				fmt.Sprintf("%+v", *p.outlets[source]), fmt.Sprintf("%+v", *p.outlets[source].format))
		}
	}
	for _, class := range []string{ClassAnswer, ClassStatus, ClassRedirect, ClassConnect, ClassTimeout, ClassProtocol, ClassTLS, ClassDNS, ClassRefusedAddress} {
		if !classes[class] {
			t.Errorf("the test brought about no ending of class %q", class)
		}
	}
	if elsewhere.connections() != 0 {
		t.Error("a log-in was carried to another host")
	}
	families, err := registry.Gather()
	if err != nil || len(families) == 0 {
		t.Fatalf("no metrics: %v", err)
	}
	for _, f := range families {
		said = append(said, f.String())
	}
	said = append(said, log.String())
	for _, secret := range []string{hidden, base64.StdEncoding.EncodeToString([]byte("resetd:" + hidden)), base64.StdEncoding.EncodeToString([]byte(hidden)), fmt.Sprint([]byte(hidden))} {
		for _, text := range said {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %.300q", secret, text)
			}
		}
	}
}
